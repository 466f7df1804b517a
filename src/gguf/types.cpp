#include "gguf/types.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

namespace puna::gguf {
namespace {

// Ordered by number. From ggml v0.5.0's type traits; gguf's tests compare it with ggml itself.
constexpr std::array kTraits = {
    TensorTraits{TensorType::f32, "F32", 1, 4},
    TensorTraits{TensorType::f16, "F16", 1, 2},
    TensorTraits{TensorType::q4_0, "Q4_0", 32, 18},
    TensorTraits{TensorType::q4_1, "Q4_1", 32, 20},
    TensorTraits{TensorType::q5_0, "Q5_0", 32, 22},
    TensorTraits{TensorType::q5_1, "Q5_1", 32, 24},
    TensorTraits{TensorType::q8_0, "Q8_0", 32, 34},
    TensorTraits{TensorType::q8_1, "Q8_1", 32, 36},
    TensorTraits{TensorType::q2_k, "Q2_K", 256, 84},
    TensorTraits{TensorType::q3_k, "Q3_K", 256, 110},
    TensorTraits{TensorType::q4_k, "Q4_K", 256, 144},
    TensorTraits{TensorType::q5_k, "Q5_K", 256, 176},
    TensorTraits{TensorType::q6_k, "Q6_K", 256, 210},
    TensorTraits{TensorType::q8_k, "Q8_K", 256, 292},
    TensorTraits{TensorType::iq2_xxs, "IQ2_XXS", 256, 66},
    TensorTraits{TensorType::iq2_xs, "IQ2_XS", 256, 74},
    TensorTraits{TensorType::iq3_xxs, "IQ3_XXS", 256, 98},
    TensorTraits{TensorType::iq1_s, "IQ1_S", 256, 50},
    TensorTraits{TensorType::iq4_nl, "IQ4_NL", 32, 18},
    TensorTraits{TensorType::iq3_s, "IQ3_S", 256, 110},
    TensorTraits{TensorType::iq2_s, "IQ2_S", 256, 82},
    TensorTraits{TensorType::iq4_xs, "IQ4_XS", 256, 136},
    TensorTraits{TensorType::i8, "I8", 1, 1},
    TensorTraits{TensorType::i16, "I16", 1, 2},
    TensorTraits{TensorType::i32, "I32", 1, 4},
    TensorTraits{TensorType::i64, "I64", 1, 8},
    TensorTraits{TensorType::f64, "F64", 1, 8},
    TensorTraits{TensorType::iq1_m, "IQ1_M", 256, 56},
    TensorTraits{TensorType::bf16, "BF16", 1, 2},
    TensorTraits{TensorType::tq1_0, "TQ1_0", 256, 54},
    TensorTraits{TensorType::tq2_0, "TQ2_0", 256, 66},
    TensorTraits{TensorType::mxfp4, "MXFP4", 32, 17},
    TensorTraits{TensorType::nvfp4, "NVFP4", 64, 36},
    TensorTraits{TensorType::q1_0, "Q1_0", 128, 18},
    TensorTraits{TensorType::q2_0, "Q2_0", 64, 18},
};

constexpr std::array<std::string_view, 13> kValueTypeNames = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                              "bool", "string", "array", "u64", "i64", "f64"};

}  // namespace

std::string_view to_string(ValueType type) {
  const auto number = static_cast<std::size_t>(type);
  return number < kValueTypeNames.size() ? kValueTypeNames[number] : "unknown";
}

const TensorTraits* find_traits(std::uint32_t type_number) {
  const auto found = std::ranges::lower_bound(kTraits, static_cast<TensorType>(type_number), {}, &TensorTraits::type);
  return found != kTraits.end() && static_cast<std::uint32_t>(found->type) == type_number ? &*found : nullptr;
}

const TensorTraits& traits(TensorType type) {
  const TensorTraits* found = find_traits(static_cast<std::uint32_t>(type));
  if (found == nullptr) std::abort();  // every enumerator has a row
  return *found;
}

std::uint64_t TensorInfo::elements() const {
  std::uint64_t out = 1;
  for (const auto dimension : shape) out *= dimension;
  return out;
}

std::optional<Bytes> tensor_size(TensorType type, const std::vector<std::uint64_t>& shape) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  const TensorTraits& row = traits(type);
  if (shape.size() > kMaxDimensions) return std::nullopt;
  std::uint64_t elements = 1;
  for (const auto dimension : shape) {
    if (dimension == 0 || dimension > kLargest / elements) return std::nullopt;
    elements *= dimension;
  }
  const std::uint64_t row_elements = shape.empty() ? 1 : shape.front();
  if (row_elements % row.block_elements != 0) return std::nullopt;
  const std::uint64_t blocks = elements / row.block_elements;
  if (blocks > kLargest / row.block_bytes) return std::nullopt;
  return Bytes(blocks * row.block_bytes);
}

}  // namespace puna::gguf
