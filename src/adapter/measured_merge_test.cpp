#include "adapter/measured_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tune/tune_testing.h"

namespace puna::adapter {
namespace {

using gguf::TensorType;
using testing::HasSubstr;
using tune::TestModel;
using wire::MergeType;

// An adapter that does little, merged into a model 256 wide, so that every type fits its rows.
class LittleAdapter {
 public:
  explicit LittleAdapter(TensorType type)
      : base_({.type = type, .width = 256, .heads = 8, .heads_kv = 4, .head_width = 32, .inner = 256, .vocabulary = 128}),
        adapter_(tune::stirred_adapter(base_.model(), {.rank = 4, .targets = {"attn_q", "ffn_up"}}, 0.01F)) {}

  wire::MergeResult merged(std::optional<MergeType> type = {}) {
    const auto row = tune::random_row(40, 128, 3);
    const MergeCall call{.base = std::span(&base_.file(), 1), .model = base_.model(), .adapter = adapter_, .name = "", .team = team_};
    return merge_measured(call, type, file(), row.tokens).value();
  }
  TensorType stored() const { return tune::Model::open(std::vector{file()})->layer(0).linear(tune::Target::attn_q).weight.type; }

 private:
  std::filesystem::path file() const { return base_.folder() / "merged.gguf"; }

  tune::Team team_{2};
  TestModel base_;
  tune::Adapter adapter_;
};

TEST(MeasuredMerge, stores_q8_0_where_the_bases_type_would_lose_most_of_the_adapter) {
  LittleAdapter little(TensorType::q4_k);
  const auto result = little.merged();
  EXPECT_EQ(result.type, MergeType::q8_0);
  EXPECT_EQ(little.stored(), TensorType::q8_0);
  EXPECT_LT(result.lost, 0.5);
  EXPECT_FALSE(result.advice) << *result.advice;
  EXPECT_THAT(result.chosen.value_or(""), HasSubstr("so what it changes is stored as q8_0; the type 'same' would keep them"));
}

TEST(MeasuredMerge, obeys_a_type_and_advises_against_one_that_is_too_coarse) {
  LittleAdapter little(TensorType::q4_k);
  const auto same = little.merged(MergeType::same);
  EXPECT_EQ(little.stored(), TensorType::q4_k);
  EXPECT_GT(same.lost, 0.5);
  EXPECT_FALSE(same.chosen);
  EXPECT_THAT(same.advice.value_or(""), HasSubstr("the base's types are too coarse for this adapter"));
  const auto wide = little.merged(MergeType::f16);
  EXPECT_EQ(wide.type, MergeType::f16);
  EXPECT_FALSE(wide.advice);
}

TEST(MeasuredMerge, keeps_the_bases_type_where_that_holds_the_adapter) {
  for (const auto type : {TensorType::f16, TensorType::q8_0}) {
    LittleAdapter little(type);
    const auto result = little.merged();
    EXPECT_EQ(result.type, MergeType::same);
    EXPECT_EQ(little.stored(), type);
    EXPECT_FALSE(result.chosen);
  }
}

TEST(MeasuredMerge, stores_q8_0_where_the_bases_type_cannot_be_written) {
  LittleAdapter little(TensorType::iq3_xxs);
  const auto result = little.merged();
  EXPECT_EQ(little.stored(), TensorType::q8_0);
  EXPECT_THAT(result.chosen.value_or(""), HasSubstr("cannot be written well"));
}

TEST(MeasuredMerge, narrows_nothing_to_q8_0_unasked) {
  const TestModel base({.type = TensorType::f16, .width = 256, .heads = 8, .heads_kv = 4, .head_width = 32, .inner = 256});
  const auto adapter = tune::stirred_adapter(base.model(), {.rank = 4});
  tune::Team team(1);
  const MergeCall call{.base = std::span(&base.file(), 1),
                       .model = base.model(),
                       .adapter = adapter,
                       .type = TensorType::q8_0,
                       .narrowing = Narrowing::refused,
                       .name = "",
                       .team = team};
  const auto file = base.folder() / "merged.gguf";
  ASSERT_TRUE(merge(call, file));
  EXPECT_EQ(tune::Model::open(std::vector{file})->layer(0).linear(tune::Target::attn_q).weight.type, TensorType::f16);
}

}  // namespace
}  // namespace puna::adapter
