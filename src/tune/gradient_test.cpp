// The way back, proved by the way forward.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tune/arithmetic/random.h"
#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

using tiny_model::RandomModel;

constexpr std::uint64_t kKey = 5;  // of dropout

// The gradients of one pass over some rows, of an adapter that says something everywhere.
class Trained {
 public:
  Trained(const RandomModel& random, const LoraOptions& options, std::vector<TokenRow> rows, Recompute recompute = Recompute::each_layer,
          std::size_t threads = 2)
      : model_(random),
        team_(threads),
        adapter_(stirred_adapter(model_.model(), options)),
        batch_(lay_out(rows)),
        pass_(model_.model(), team_, &adapter_,
              {.most_tokens = batch_.tokens.size(), .longest = batch_.longest(), .recompute = recompute}) {
    EXPECT_TRUE(pass_.train(batch_, adapter_, kKey));
    gradients_.assign(adapter_.gradients().span().begin(), adapter_.gradients().span().end());
  }

  [[nodiscard]] Adapter& adapter() { return adapter_; }
  [[nodiscard]] const std::vector<float>& gradients() const { return gradients_; }
  [[nodiscard]] std::span<const float> gradients(std::size_t at, std::size_t count) const {
    return std::span(gradients_).subspan(at, count);
  }
  [[nodiscard]] double loss() {
    const auto logarithms = pass_.train(batch_, adapter_, kKey).value();
    double loss = 0;
    for (std::size_t i = 0; i < logarithms.size(); ++i) loss -= double(batch_.trained[i].weight) * logarithms[i];
    return loss;
  }
  // The slope of the loss along one direction in `count` parameters from `at`, by the gradients and by differences; relative to the former.
  [[nodiscard]] double slope_error(std::size_t at, std::size_t count) {
    constexpr float kStep = 4e-3F;
    double wanted = 0;
    std::vector<float> direction(count);
    for (std::size_t i = 0; i < count; ++i) {
      // Along the gradient, and a little by chance, so that the loss moves well above its rounding.
      const float gradient = gradients_[at + i];
      direction[i] = (gradient > 0 ? 1.0F : -1.0F) * (0.5F + uniform(at, i));
      wanted += double(gradient) * direction[i];
    }
    const auto move = [&](float step) {
      for (std::size_t i = 0; i < count; ++i) adapter_.parameters().data()[at + i] += step * direction[i];
    };
    const float step = kStep / std::sqrt(static_cast<float>(count));
    move(step);
    const double above = loss();
    move(-2 * step);
    const double below = loss();
    move(step);
    return std::abs((above - below) / (2 * double(step)) - wanted) / std::abs(wanted);
  }

 private:
  TestModel model_;
  Team team_;
  Adapter adapter_;
  MicroBatch batch_;
  Pass pass_;
  std::vector<float> gradients_;
};

std::vector<TokenRow> some_rows(std::size_t longest = 60) {
  return {random_row(longest, 256, 1, 5), random_row(25, 256, 2, 3), random_row(7, 256, 3)};
}

void expect_true_gradients(const RandomModel& random, const LoraOptions& options, std::vector<TokenRow> rows) {
  Trained trained(random, options, std::move(rows));
  for (const auto& pair : std::vector(trained.adapter().pairs().begin(), trained.adapter().pairs().end())) {
    EXPECT_LT(trained.slope_error(pair.a, pair.a_size()), 2e-3) << random.architecture << " " << pair.name << " A";
    EXPECT_LT(trained.slope_error(pair.b, pair.b_size()), 2e-3) << random.architecture << " " << pair.name << " B";
  }
}

TEST(Gradients, are_those_of_finite_differences_for_each_architecture) {
  for (const auto* architecture : architectures())
    expect_true_gradients({.architecture = std::string(architecture->name)}, {.rank = 4}, some_rows());
}

TEST(Gradients, are_those_of_finite_differences_with_windows_and_caps) {
  for (const std::string name : {"gemma2", "gemma3"})
    expect_true_gradients({.architecture = name, .window = 10, .cap = 3}, {.rank = 4}, some_rows(90));
}

TEST(Gradients, are_true_where_the_pair_is_not_merged_into_the_weight) {
  expect_true_gradients({}, {.rank = 4}, {random_row(20, 256, 1)});
}

TEST(Gradients, are_true_under_dropout) {
  expect_true_gradients({}, {.rank = 4, .dropout = 0.3F}, some_rows());
}

TEST(Gradients, are_true_over_quantized_weights_with_an_output_of_their_own) {
  expect_true_gradients({.type = gguf::TensorType::q8_0, .tied = false}, {.rank = 4}, some_rows());
}

TEST(Gradients, are_true_over_several_blocks_of_queries_and_ranks_that_differ) {
  expect_true_gradients({.layers = 1, .heads_kv = 1}, {.rank = 3, .rank_stabilized = true, .ranks = {{"attn_q", 9}, {"down_proj", 1}}},
                        some_rows(150));
}

TEST(Gradients, over_quantized_weights_are_those_over_the_same_weights_widened) {
  for (const auto type : {gguf::TensorType::q4_k, gguf::TensorType::q6_k, gguf::TensorType::q5_0, gguf::TensorType::bf16}) {
    RandomModel random{.type = type, .width = 256, .head_width = 64, .inner = 256};
    const Trained narrow(random, {.rank = 4}, some_rows());
    random.widened = true;
    const Trained wide(random, {.rank = 4}, some_rows());
    EXPECT_EQ(narrow.gradients(), wide.gradients()) << gguf::traits(type).name;
  }
}

TEST(Gradients, are_the_same_bits_whether_recomputed_or_kept_and_for_any_number_of_threads) {
  const LoraOptions options{.rank = 4, .dropout = 0.1F};
  const auto wanted = Trained({}, options, some_rows()).gradients();
  EXPECT_EQ(Trained({}, options, some_rows(), Recompute::nothing).gradients(), wanted);
  EXPECT_EQ(Trained({}, options, some_rows(), Recompute::each_layer, 1).gradients(), wanted);
  EXPECT_EQ(Trained({}, options, some_rows(), Recompute::nothing, 5).gradients(), wanted);
}

TEST(Gradients, of_rows_together_are_the_sum_of_those_alone) {
  std::vector<float> sum;
  for (const auto& row : some_rows()) {
    const auto alone = Trained({}, {.rank = 4}, {row}).gradients();
    sum.resize(alone.size());
    std::ranges::transform(sum, alone, sum.begin(), std::plus());
  }
  EXPECT_LT(relative_distance(Trained({}, {.rank = 4}, some_rows()).gradients(), sum), 1e-5);
}

TEST(Gradients, feel_nothing_of_a_token_that_is_not_trained) {
  auto row = random_row(40, 256, 1);
  row.weights.back() = 0;
  const auto before = Trained({}, {.rank = 4}, {row}).gradients();
  row.tokens.back() = (row.tokens.back() + 1) % 256;  // nothing comes after it, so it could only matter as a goal
  EXPECT_EQ(Trained({}, {.rank = 4}, {row}).gradients(), before);
  row.weights.back() = 1;
  EXPECT_NE(Trained({}, {.rank = 4}, {row}).gradients(), before);
}

TEST(Gradients, are_zero_without_trained_tokens) {
  EXPECT_THAT(Trained({}, {.rank = 4}, {random_row(20, 256, 1, 20)}).gradients(), testing::Each(0.0F));
}

TEST(Gradients, weigh_each_token_as_told) {
  auto row = random_row(40, 256, 1);
  const auto once = Trained({}, {.rank = 4}, {row}).gradients();
  std::ranges::fill(row.weights, 0.25F);
  auto quarter = Trained({}, {.rank = 4}, {row}).gradients();
  for (auto& value : quarter) value *= 4;
  EXPECT_LT(relative_distance(quarter, once), 1e-6);
}

TEST(Gradients, reach_no_further_down_than_the_lowest_pair_and_are_right_there) {
  const TestModel model;
  Team team(2);
  const auto gradients_of = [&](const LoraOptions& options) {
    Adapter adapter = Adapter::create(model.model(), options).value();  // B = 0: all adapters compute the same
    const auto batch = lay_out(some_rows());
    Pass pass(model.model(), team, &adapter, {.most_tokens = batch.tokens.size(), .longest = batch.longest()});
    EXPECT_TRUE(pass.train(batch, adapter, 0));
    const auto* pair = adapter.find(1, Target::attn_k);
    return std::vector<float>(adapter.b_gradient(*pair), adapter.b_gradient(*pair) + pair->b_size());
  };
  const auto alone = gradients_of({.rank = 4, .targets = {"blk.1.attn_k"}});
  EXPECT_THAT(alone, testing::Contains(testing::Ne(0.0F)));
  EXPECT_EQ(gradients_of({.rank = 4}), alone);
}

TEST(Gradients, of_the_first_step_leave_a_alone_and_move_b) {
  const TestModel model;
  Team team(1);
  Adapter adapter = Adapter::create(model.model(), {.rank = 4}).value();
  const auto batch = lay_out(some_rows());
  Pass pass(model.model(), team, &adapter, {.most_tokens = batch.tokens.size(), .longest = batch.longest()});
  ASSERT_TRUE(pass.train(batch, adapter, 0));
  for (const auto& pair : adapter.pairs()) {
    EXPECT_THAT(adapter.gradients().span().subspan(pair.a, pair.a_size()), testing::Each(0.0F)) << pair.name;
    EXPECT_THAT(adapter.gradients().span().subspan(pair.b, pair.b_size()), testing::Contains(testing::Ne(0.0F))) << pair.name;
  }
}

TEST(Gradients, of_any_loss_come_from_its_slopes) {
  const TestModel model;
  Team team(1);
  Adapter adapter = stirred_adapter(model.model(), {.rank = 4});
  const auto batch = lay_out(some_rows());
  Pass pass(model.model(), team, &adapter, {.most_tokens = batch.tokens.size(), .longest = batch.longest()});
  ASSERT_TRUE(pass.train(batch, adapter, 0));
  const std::vector<float> wanted(adapter.gradients().span().begin(), adapter.gradients().span().end());
  adapter.gradients().clear();
  const auto cross_entropy = [](std::span<const float> logarithms) { return std::vector<float>(logarithms.size(), -1); };
  ASSERT_TRUE(pass.train(batch, adapter, 0, cross_entropy));
  EXPECT_TRUE(std::ranges::equal(adapter.gradients().span(), wanted));
}

}  // namespace
}  // namespace puna::tune
