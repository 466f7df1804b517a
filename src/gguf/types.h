// What a GGUF file is made of: metadata values and tensor types, as of ggml v0.5.0.
// Source of the format: ggml's docs/gguf.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/units.h"

namespace puna::gguf {

// The numbers are the file format's.
enum class ValueType : std::uint32_t { u8 = 0, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };
[[nodiscard]] std::string_view to_string(ValueType type);

// One metadata value. Arrays of arrays do not occur.
using Value =
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, float, bool, std::string,
                 std::uint64_t, std::int64_t, double, std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>, std::vector<float>, std::vector<bool>,
                 std::vector<std::string>, std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>>;

// The numbers are ggml's; the gaps are formats that were withdrawn.
enum class TensorType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q8_1 = 9,
  q2_k = 10,
  q3_k = 11,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  q8_k = 15,
  iq2_xxs = 16,
  iq2_xs = 17,
  iq3_xxs = 18,
  iq1_s = 19,
  iq4_nl = 20,
  iq3_s = 21,
  iq2_s = 22,
  iq4_xs = 23,
  i8 = 24,
  i16 = 25,
  i32 = 26,
  i64 = 27,
  f64 = 28,
  iq1_m = 29,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  mxfp4 = 39,
  nvfp4 = 40,
  q1_0 = 41,
  q2_0 = 42,
};

// A row of `block_elements` values takes `block_bytes` bytes; the first dimension is a multiple of `block_elements`.
struct TensorTraits {
  TensorType type;
  std::string_view name;  // "Q4_K", as people write it
  std::uint32_t block_elements;
  std::uint32_t block_bytes;
};
// Null for a number that ggml v0.5.0 does not load.
[[nodiscard]] const TensorTraits* find_traits(std::uint32_t type_number);
[[nodiscard]] const TensorTraits& traits(TensorType type);

struct TensorInfo {
  std::string name;
  TensorType type = TensorType::f32;
  std::vector<std::uint64_t> shape;  // the fastest running dimension first, as ggml counts; at most four
  std::uint64_t offset = 0;          // from the start of the data section
  Bytes size;

  [[nodiscard]] std::uint64_t elements() const;
};

// Absent when the shape does not fit the type, or when the size exceeds 2^63.
[[nodiscard]] std::optional<Bytes> tensor_size(TensorType type, const std::vector<std::uint64_t>& shape);

inline constexpr std::uint64_t kDefaultAlignment = 32;
inline constexpr std::size_t kMaxTensorName = 63;  // bytes
inline constexpr std::size_t kMaxDimensions = 4;

}  // namespace puna::gguf
