#include "gguf/types.h"

#include <ggml.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace puna::gguf {
namespace {

TEST(TensorTypes, are_those_of_the_ggml_we_build) {
  for (std::uint32_t number = 0; number < GGML_TYPE_COUNT + 8u; ++number) {
    const auto* row = find_traits(number);
    const auto block = number < GGML_TYPE_COUNT ? ggml_blck_size(static_cast<ggml_type>(number)) : 0;
    ASSERT_EQ(row != nullptr, block > 0) << number;
    if (row == nullptr) continue;
    EXPECT_EQ(row->block_elements, block) << row->name;
    EXPECT_EQ(row->block_bytes, ggml_type_size(static_cast<ggml_type>(number))) << row->name;
    EXPECT_TRUE(equal_ignoring_case(row->name, ggml_type_name(static_cast<ggml_type>(number)))) << row->name;
  }
}

TEST(TensorTypes, sizes_count_whole_blocks) {
  EXPECT_EQ(tensor_size(TensorType::f32, {}), Bytes(4));
  EXPECT_EQ(tensor_size(TensorType::q4_k, {512, 3}), Bytes(2 * 144 * 3));
  EXPECT_EQ(tensor_size(TensorType::q4_k, {128, 4}), std::nullopt);
  EXPECT_EQ(tensor_size(TensorType::f32, {1, 1, 1, 1, 1}), std::nullopt);
  EXPECT_EQ(tensor_size(TensorType::f32, {4, 0}), std::nullopt);
  EXPECT_EQ(tensor_size(TensorType::i8, {1ULL << 63}), std::nullopt);
}

TEST(ValueTypes, have_names) {
  EXPECT_EQ(to_string(ValueType::f64), "f64");
  EXPECT_EQ(to_string(static_cast<ValueType>(13)), "unknown");
}

}  // namespace
}  // namespace puna::gguf
