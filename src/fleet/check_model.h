// Looking into a model file without trusting it.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>

#include "base/error.h"
#include "base/units.h"
#include "gguf/summary.h"

namespace puna::fleet {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr std::optional<Bytes> kCheckerMemory;  // sanitizers reserve address space by the terabyte
#else
inline constexpr std::optional<Bytes> kCheckerMemory = gib(4);  // a header takes memory in proportion to its size
#endif

struct CheckLimits {
  Milliseconds deadline{60'000};
  std::optional<Bytes> memory = kCheckerMemory;  // address space of the child
};

// Whether the file is a whole model that llama.cpp can be given, and what it is. A child process (`program worker --check FILE`) with
// limits does the reading, so that no file can hurt the caller: its crash, too, is Code::corrupt_data. Blocks: call it from a job or from
// the pool. Code::deadline_exceeded, Code::cancelled.
[[nodiscard]] Result<gguf::Summary> check_model(const std::filesystem::path& program, const std::filesystem::path& file,
                                                const CheckLimits& limits = {}, std::stop_token stop = {});

}  // namespace puna::fleet
