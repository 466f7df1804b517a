// What this machine offers.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"

namespace puna::os {

// Sizes in bytes. What cannot be found out is empty, zero or absent.
struct HardwareInfo {
  std::string cpu_model;
  std::uint32_t physical_cores = 0;
  std::uint32_t logical_cores = 0;
  std::uint32_t usable_cores = 0;         // after CPU affinity and the container's quota; at least 1
  std::vector<std::string> cpu_features;  // of those that matter to inference: "avx2", "avx512f", "amx_int8", "asimddp" …
  std::uint64_t memory_total_bytes = 0;
  std::uint64_t memory_available_bytes = 0;         // without swapping; within the container's limit
  std::optional<std::uint64_t> memory_limit_bytes;  // the container's
  std::uint64_t swap_total_bytes = 0;
  std::uint64_t swap_free_bytes = 0;
  std::string kernel;        // "6.1.0-18-amd64"
  std::string os_name;       // "Debian GNU/Linux 12 (bookworm)"
  std::string architecture;  // "x86_64"
};
BOOST_DESCRIBE_STRUCT(HardwareInfo, (),
                      (cpu_model, physical_cores, logical_cores, usable_cores, cpu_features, memory_total_bytes, memory_available_bytes,
                       memory_limit_bytes, swap_total_bytes, swap_free_bytes, kernel, os_name, architecture))

// Reads /proc, /sys and /etc below `root`; memory figures are of this moment.
[[nodiscard]] HardwareInfo probe_hardware(const std::filesystem::path& root = "/");

// The memory figures alone: quick enough for each decision.
struct MemoryNow {
  Bytes total;
  Bytes available;       // without swapping; within the container's limit
  bool limited = false;  // the container's limit decides
};
[[nodiscard]] MemoryNow probe_memory(const std::filesystem::path& root = "/");

}  // namespace puna::os
