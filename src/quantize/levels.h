// How small a model can be made, and what that costs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace puna::quantize {

struct Level {
  std::string_view name;    // "Q4_K_M"
  std::int64_t file_type;   // GGUF's general.file_type, which is llama.cpp's number of this mixture of types
  double bits_per_weight;   // over a whole llama model of 8 billion parameters
  bool needs_imatrix;       // llama.cpp refuses it without an importance matrix
  std::string_view advice;  // one line
};

// Largest first.
[[nodiscard]] std::span<const Level> levels();
// In any case. Code::invalid_argument names the nearest.
[[nodiscard]] Result<const Level*> find_level(std::string_view name);
// What a model of so many parameters takes, nearly: models differ in how much of them is kept in larger types.
[[nodiscard]] Bytes expected_size(const Level& level, std::int64_t parameters);

}  // namespace puna::quantize
