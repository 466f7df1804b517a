#include "adapter/requantize.h"

#include <fmt/format.h>

#include <algorithm>

#include "ggml.h"

namespace puna::adapter {

Result<> check_writable(gguf::TensorType type, std::string_view tensor) {
  switch (type) {
    using enum gguf::TensorType;
    case f32:
    case f16:
    case bf16:
    case q4_0:
    case q4_1:
    case q5_0:
    case q5_1:
    case q8_0:
    case q2_k:
    case q3_k:
    case q4_k:
    case q5_k:
    case q6_k:
    case iq4_nl:
    case iq4_xs:
    case iq3_s:
    case mxfp4:
      return {};
    case q8_1:
    case q8_k:
    case iq2_xxs:
    case iq2_xs:
    case iq3_xxs:
    case iq1_s:
    case iq2_s:
    case i8:
    case i16:
    case i32:
    case i64:
    case f64:
    case iq1_m:
    case tq1_0:
    case tq2_0:
    case nvfp4:
    case q1_0:
    case q2_0:
      break;
  }
  return fail(Code::unsupported, fmt::format("tensor '{}' is of type {}, which cannot be written well without an importance matrix; have "
                                             "what changes stored as f16, bf16, f32 or q8_0",
                                             tensor, gguf::traits(type).name));
}

void write_rows(tune::Team& team, gguf::TensorType type, std::size_t rows, std::size_t columns, const float* from, std::byte* to) {
  constexpr std::size_t kShare = 1 << 15;  // floats in one task
  const auto ggml = static_cast<ggml_type>(type);
  const std::size_t row_bytes = ggml_row_size(ggml, static_cast<std::int64_t>(columns));
  const std::size_t step = std::max<std::size_t>(1, kShare / columns);
  team.for_each((rows + step - 1) / step, [&](std::size_t task, std::size_t) {
    const std::size_t first = task * step;
    ggml_quantize_chunk(ggml, from + first * columns, to + first * row_bytes, 0, static_cast<std::int64_t>(std::min(step, rows - first)),
                        static_cast<std::int64_t>(columns), nullptr);
  });
}

}  // namespace puna::adapter
