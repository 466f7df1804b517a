#include "quantize/levels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "quantize/default_name.h"

namespace puna::quantize {
namespace {

using testing::HasSubstr;

TEST(Levels, are_found_in_any_case_and_the_nearest_is_named_else) {
  EXPECT_EQ(find_level("q4_k_m").value()->name, "Q4_K_M");
  const auto wrong = find_level("q4_k").error();
  EXPECT_EQ(wrong.code, Code::invalid_argument);
  EXPECT_THAT(wrong.message, HasSubstr("Q4_K_M"));
  EXPECT_THAT(find_level("tiny").error().message, HasSubstr("--levels"));
}

TEST(Levels, stand_from_the_largest_to_the_smallest_and_have_advice) {
  EXPECT_TRUE(std::ranges::is_sorted(levels(), std::greater<>(), &Level::bits_per_weight));
  for (const auto& level : levels()) EXPECT_FALSE(level.advice.empty()) << level.name;
}

TEST(Levels, expect_the_size_that_llama_3_1_8b_has) {
  constexpr std::int64_t kParameters = 8'030'261'312;
  EXPECT_NEAR(static_cast<double>(expected_size(*find_level("Q4_K_M").value(), kParameters).count), 4.58 * (1 << 30), 0.01 * (1 << 30));
  EXPECT_EQ(expected_size(*find_level("Q8_0").value(), 0), Bytes(0));
}

std::string named(std::string_view source, std::string_view quantization, std::string_view level) {
  return default_name(model::Name::parse(source).value(), quantization, level).text();
}

TEST(QuantizedName, has_the_level_in_place_of_the_sources_quantization) {
  EXPECT_EQ(named("smollm2:135m-f16", "F16", "Q4_K_M"), "smollm2:135m-q4_k_m");
  EXPECT_EQ(named("hf.co/owner/Repo:BF16", "BF16", "Q8_0"), "hf.co/owner/Repo:q8_0");
  EXPECT_EQ(named("smollm2:135m", "F16", "Q4_K_M"), "smollm2:135m-q4_k_m");
  EXPECT_EQ(named("smollm2", "F32", "Q4_0"), "smollm2:q4_0");
}

}  // namespace
}  // namespace puna::quantize
