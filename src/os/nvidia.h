// NVIDIA's GPUs as their driver knows them (NVML), whether or not this build can compute on them.
// NVML's functions: https://docs.nvidia.com/deploy/nvml-api/
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace puna::os {

struct NvidiaGpu {
  std::string name;
  std::uint64_t memory_total_bytes = 0;
  std::uint64_t memory_free_bytes = 0;
};

struct NvidiaDriver {
  std::string version;
  std::vector<NvidiaGpu> gpus;
};

inline constexpr const char* kNvmlLibrary = "libnvidia-ml.so.1";

// Nothing when the library is not there. Code::unavailable, with NVML's own words, when it is and does not answer: a driver and a library
// that do not match, a GPU that has fallen off its bus.
[[nodiscard]] Result<std::optional<NvidiaDriver>> probe_nvidia(const char* library = kNvmlLibrary);

}  // namespace puna::os
