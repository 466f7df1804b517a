// Floats back into the types that model files have, by ggml's own arithmetic.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "gguf/types.h"
#include "tune/arithmetic/team.h"

namespace puna::adapter {

// Code::unsupported for a type that needs an importance matrix, or that ggml only reads.
[[nodiscard]] Result<> check_writable(gguf::TensorType type, std::string_view tensor);

// Rows [rows, columns] of floats, each a number of whole blocks; `to` has room for them.
void write_rows(tune::Team& team, gguf::TensorType type, std::size_t rows, std::size_t columns, const float* from, std::byte* to);

}  // namespace puna::adapter
