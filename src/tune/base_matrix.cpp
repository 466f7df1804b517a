#include "tune/base_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "ggml.h"
#include "tune/arithmetic/kernels.h"

namespace puna::tune {
namespace {

const ggml_type_traits& ggml_traits(gguf::TensorType type) {
  return *ggml_get_type_traits(static_cast<ggml_type>(type));
}

}  // namespace

const float* BaseMatrix::plain() const {
  return type == gguf::TensorType::f32 ? reinterpret_cast<const float*>(data) : nullptr;
}

Result<> check_readable(gguf::TensorType type, std::string_view name) {
  if (type == gguf::TensorType::f32 || ggml_traits(type).to_float != nullptr) return {};
  return fail(Code::unsupported, fmt::format("tensor '{}' is of type {}, which cannot be trained over", name, gguf::traits(type).name));
}

void read_rows(const BaseMatrix& matrix, std::size_t first, std::size_t rows, float* to) {
  const std::byte* from = matrix.data + first * matrix.row_bytes;
  const std::size_t count = rows * matrix.in;  // rows are contiguous and whole blocks
  if (matrix.type == gguf::TensorType::f32)
    std::copy_n(reinterpret_cast<const float*>(from), count, to);
  else if (matrix.type == gguf::TensorType::f16)
    kernels().from_f16(to, reinterpret_cast<const std::uint16_t*>(from), count);
  else if (matrix.type == gguf::TensorType::bf16)
    kernels().from_bf16(to, reinterpret_cast<const std::uint16_t*>(from), count);
  else
    ggml_traits(matrix.type).to_float(from, to, static_cast<std::int64_t>(count));
}

void read_rows(Team& team, const BaseMatrix& matrix, std::size_t first, std::size_t rows, float* to) {
  constexpr std::size_t kShare = 1 << 15;  // floats in one task
  const std::size_t step = std::max<std::size_t>(1, kShare / matrix.in);
  team.for_each((rows + step - 1) / step, [&](std::size_t task, std::size_t) {
    const std::size_t begin = task * step;
    read_rows(matrix, first + begin, std::min(step, rows - begin), to + begin * matrix.in);
  });
}

}  // namespace puna::tune
