// Processors beside the CPU that ggml has a backend for: a CUDA GPU in builds with CUDA.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

struct ggml_backend_device;

namespace puna::tune {

struct Device {
  ggml_backend_device* handle = nullptr;  // ggml's, for ever
  std::string name;                       // "CUDA0"
  std::string description;                // "NVIDIA H200"
  Bytes memory_free;                      // when it was asked
  Bytes memory_total;                     // zero: it does not say
};

inline constexpr std::string_view kCpu = "cpu";           // no device: the trainer's own arithmetic
inline constexpr std::string_view kAutomatic = "auto";    // the first GPU with memory of its own, else kCpu
inline constexpr std::string_view kStandIn = "ggml-cpu";  // ggml's CPU backend as if it were a device

// By the name that `puna doctor` lists, in any case, or one of those above. Absent for the CPU. Makes the GPUs' drivers start.
// Code::invalid_argument lists what there is.
[[nodiscard]] Result<std::optional<Device>> find_device(std::string_view name);

}  // namespace puna::tune
