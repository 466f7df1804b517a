#include "tune/adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

using testing::HasSubstr;

std::vector<std::string> names_of(const LoraOptions& options) {
  const TestModel model;
  const auto adapter = Adapter::create(model.model(), options).value();
  std::vector<std::string> out;
  for (const auto& pair : adapter.pairs()) out.push_back(pair.name + " " + std::to_string(pair.rank));
  return out;
}

TEST(Adapter, leaves_the_base_as_it_is_until_it_is_trained_bit_for_bit) {
  const TestModel model({.type = gguf::TensorType::q8_0});
  const auto adapter = Adapter::create(model.model(), {}).value();
  for (const std::size_t tokens : {10UZ, 100UZ}) {  // the pair beside the weight, and merged into it
    const auto row = random_row(tokens, 256, 1);
    EXPECT_EQ(own_logits(model.model(), row.tokens, &adapter), own_logits(model.model(), row.tokens));
  }
}

TEST(Adapter, computes_the_same_beside_the_weight_and_merged_into_it) {
  const TestModel model;
  const auto adapter = stirred_adapter(model.model(), {.rank = 8});
  const auto row = random_row(100, 256, 1);
  const auto merged = own_logits(model.model(), row.tokens, &adapter);
  const auto beside = own_logits(model.model(), std::span(row.tokens).first(20), &adapter);
  EXPECT_LT(relative_distance(beside, std::span(merged).first(beside.size())), 1e-5);
  EXPECT_GT(relative_distance(beside, own_logits(model.model(), std::span(row.tokens).first(20))), 1e-3);
}

TEST(Adapter, is_on_all_linear_maps_unless_told_otherwise) {
  EXPECT_EQ(names_of({}).size(), 14u);
  EXPECT_THAT(names_of({.targets = {"q_proj", "blk.1.ffn_up"}}),
              testing::ElementsAre("blk.0.attn_q.weight 16", "blk.1.attn_q.weight 16", "blk.1.ffn_up.weight 16"));
}

TEST(Adapter, takes_the_rank_of_a_layer_before_that_of_all_layers) {
  EXPECT_THAT(names_of({.rank = 4, .targets = {"attn_v"}, .ranks = {{"attn_v", 8}, {"blk.1.attn_v", 2}}}),
              testing::ElementsAre("blk.0.attn_v.weight 8", "blk.1.attn_v.weight 2"));
}

TEST(Adapter, matches_names_exactly) {
  const TestModel model;
  for (const std::string name : {"output", "attn", "attn_qq", "blk.2.attn_q", "blk.0.attn_q.weight", ""})
    EXPECT_THAT(Adapter::create(model.model(), {.targets = {name}}).error().message, HasSubstr("no target '" + name + "'"));
  EXPECT_FALSE(Adapter::create(model.model(), {.ranks = {{"k", 3}}}));
}

TEST(Adapter, names_the_option_that_is_out_of_bounds) {
  const TestModel model;
  const auto message = [&](const LoraOptions& options) { return Adapter::create(model.model(), options).error().message; };
  EXPECT_THAT(message({.rank = 0}), HasSubstr("from 1 to 256"));
  EXPECT_THAT(message({.rank = 257}), HasSubstr("from 1 to 256"));
  EXPECT_THAT(message({.rank = 40}), HasSubstr("rank 40 is more than 'blk.0.attn_k.weight' has"));
  EXPECT_THAT(message({.alpha = 0}), HasSubstr("alpha"));
  EXPECT_THAT(message({.alpha = NAN}), HasSubstr("alpha"));
  EXPECT_THAT(message({.dropout = 1}), HasSubstr("dropout"));
  EXPECT_THAT(message({.ranks = {{"attn_q", 300}}}), HasSubstr("the rank of 'attn_q'"));
}

TEST(Adapter, scales_by_alpha_over_the_rank_or_its_root) {
  const TestModel model;
  EXPECT_EQ(Adapter::create(model.model(), {.rank = 16, .alpha = 8})->pairs()[0].scale, 0.5F);
  EXPECT_EQ(Adapter::create(model.model(), {.rank = 16, .alpha = 8, .rank_stabilized = true})->pairs()[0].scale, 2.0F);
}

TEST(Adapter, begins_differently_for_each_seed_and_each_pair) {
  const TestModel model;
  const auto start = [&](std::uint64_t seed, std::size_t pair) {
    const auto adapter = Adapter::create(model.model(), {.rank = 4, .seed = seed}).value();
    return *adapter.a(adapter.pairs()[pair]);
  };
  EXPECT_EQ(start(1, 0), start(1, 0));
  EXPECT_NE(start(1, 0), start(2, 0));
  EXPECT_NE(start(1, 0), start(1, 1));
}

}  // namespace
}  // namespace puna::tune
