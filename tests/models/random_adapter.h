// LoRA adapters with random weights, for tests where they must only make a difference.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.h"

namespace puna::tiny_model {

// For a GGUF model in one file. The same bytes for the same base and seed; `strength` 1 changes most answers.
[[nodiscard]] Result<> write_random_adapter(const std::filesystem::path& path, const std::filesystem::path& base, std::uint64_t seed,
                                            double strength = 1);

}  // namespace puna::tiny_model
