// A frozen weight, in the type and place that its file has it.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"
#include "gguf/types.h"
#include "tune/arithmetic/team.h"

namespace puna::tune {

// `out` rows of `in` weights: y = W x.
struct BaseMatrix {
  std::string name;  // "blk.0.attn_q.weight"
  gguf::TensorType type = gguf::TensorType::f32;
  std::size_t in = 0;
  std::size_t out = 0;
  const std::byte* data = nullptr;  // read-only mapping of the file
  std::size_t row_bytes = 0;

  // As floats where that is what the file has, else null.
  [[nodiscard]] const float* plain() const;
};

// Code::unsupported for a type that ggml cannot turn into floats.
[[nodiscard]] Result<> check_readable(gguf::TensorType type, std::string_view name);
// Rows [first, first + rows) as floats, [rows, in].
void read_rows(const BaseMatrix& matrix, std::size_t first, std::size_t rows, float* to);
void read_rows(Team& team, const BaseMatrix& matrix, std::size_t first, std::size_t rows, float* to);

}  // namespace puna::tune
