// Runs from rows of tokens in memory: what the parts do together.
#include "tune/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cmath>

#include "os/file.h"
#include "tune/adapter_file.h"
#include "tune/checkpoint.h"
#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

using testing::HasSubstr;

TrainerOptions options(std::uint64_t steps, float rate = 1e-3F) {
  return {.lora = {.rank = 8, .alpha = 16},
          .schedule = {.rate = rate, .decay = Decay::constant, .steps = steps},
          .pass = {.most_tokens = 512, .longest = 64}};
}

std::vector<TokenRow> rows(std::size_t count, std::size_t prompt = 4) {
  std::vector<TokenRow> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(random_row(12 + i % 9, 256, 100 + i, prompt));
  return out;
}

// What the model says after the first `prompt` tokens of a row, always taking the likeliest.
std::vector<std::int32_t> greedy(Pass& pass, const Adapter* adapter, const TokenRow& row, std::size_t prompt) {
  TokenRow said{{row.tokens.begin(), row.tokens.begin() + static_cast<std::ptrdiff_t>(prompt)}, std::vector<float>(prompt, 1)};
  while (said.tokens.size() < row.tokens.size()) {
    const auto last = static_cast<std::uint32_t>(said.tokens.size() - 1);
    const auto logits = pass.logits(lay_out(std::span(&said, 1)), std::span(&last, 1), adapter).value();
    said.tokens.push_back(static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin()));
    said.weights.push_back(1);
  }
  return said.tokens;
}

// What llama.cpp would say for each token from `prompt` on, given those before it.
std::vector<std::int32_t> likeliest(std::span<const float> logits, std::size_t tokens, std::size_t prompt) {
  const std::size_t vocabulary = logits.size() / tokens;
  std::vector<std::int32_t> out;
  for (std::size_t token = prompt - 1; token + 1 < tokens; ++token) {
    const auto row = logits.subspan(token * vocabulary, vocabulary);
    out.push_back(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
  }
  return out;
}

class TrainerRun : public testing::Test {
 protected:
  Trainer trainer(const TrainerOptions& with) { return Trainer::create(model_.model(), team_, with).value(); }

  TestModel model_{{.type = gguf::TensorType::q8_0, .tied = false}};
  Team team_{2};
};

class TrainerWithEachOptimizer : public TrainerRun, public testing::WithParamInterface<OptimizerKind> {};
INSTANTIATE_TEST_SUITE_P(All, TrainerWithEachOptimizer,
                         testing::Values(OptimizerKind::adamw, OptimizerKind::adamw_8bit, OptimizerKind::sgd));

TEST_F(TrainerRun, learns_rows_by_heart_and_says_them_again_here_and_in_llama_cpp) {
  auto with = options(150, 5e-3F);
  with.lora = {.rank = 16, .alpha = 32};
  auto run = trainer(with);
  const auto examples = rows(20);
  const std::vector batches = {lay_out(examples)};
  double loss = HUGE_VAL;
  while (run.steps() < 150 && loss > 0.15) loss = run.step(batches)->loss;
  const auto file = model_.folder() / "adapter.gguf";
  ASSERT_TRUE(write_adapter(file, model_.model(), run.adapter()));
  Judge judge(model_.file(), file);
  for (const auto& row : examples) {
    EXPECT_EQ(greedy(run.pass(), &run.adapter(), row, 4), row.tokens);
    EXPECT_EQ(likeliest(judge.logits(row.tokens), row.tokens.size(), 4), std::vector(row.tokens.begin() + 4, row.tokens.end()));
  }
}

TEST_F(TrainerRun, takes_the_same_step_however_rows_are_spread) {
  const auto examples = rows(8, 5);
  const auto first_step = [&](std::vector<MicroBatch> batches) {
    auto run = trainer(options(1));
    const auto report = run.step(batches).value();
    return std::pair(report, std::vector(run.adapter().gradients().span().begin(), run.adapter().gradients().span().end()));
  };
  std::vector<MicroBatch> one_by_one;
  for (const auto& row : examples) one_by_one.push_back(lay_out(std::span(&row, 1)));
  const auto [together, gradients] = first_step({lay_out(examples)});
  const auto [apart, apart_gradients] = first_step(one_by_one);
  const auto [halves, halves_gradients] = first_step({lay_out(std::span(examples).first(3)), lay_out(std::span(examples).subspan(3))});
  EXPECT_NEAR(apart.loss / together.loss, 1, 1e-5);
  EXPECT_NEAR(halves.gradient_norm / together.gradient_norm, 1, 1e-5);
  EXPECT_LT(relative_distance(apart_gradients, gradients), 1e-5);
  EXPECT_LT(relative_distance(halves_gradients, gradients), 1e-5);
}

TEST_P(TrainerWithEachOptimizer, goes_on_from_a_checkpoint_as_if_it_had_never_stopped) {
  auto with = options(40);
  with.optimizer = {.kind = GetParam(), .momentum = 0.5F};
  with.lora.dropout = 0.1F;
  with.schedule.decay = Decay::cosine;
  const std::vector batches = {lay_out(rows(5)), lay_out(rows(3))};
  const auto file = model_.folder() / "checkpoint.gguf";
  auto straight = trainer(with);
  std::vector<double> losses;
  for (int step = 0; step < 40; ++step) {
    if (step == 20) ASSERT_TRUE(write_checkpoint(file, straight, {"run 1", "row 20"}));
    losses.push_back(straight.step(batches)->loss);
  }
  Team other_team(3);
  auto resumed = Trainer::create(model_.model(), other_team, with).value();
  EXPECT_EQ(read_checkpoint(file, resumed, "run 1"), "row 20");
  for (std::size_t step = 20; step < 40; ++step) ASSERT_EQ(resumed.step(batches)->loss, losses[step]);
  EXPECT_TRUE(std::ranges::equal(resumed.adapter().parameters().span(), straight.adapter().parameters().span()));
}

TEST_P(TrainerWithEachOptimizer, learns) {
  auto with = options(25, GetParam() == OptimizerKind::sgd ? 0.5F : 5e-3F);
  with.optimizer.kind = GetParam();
  with.most_gradient_norm = 0;
  auto run = trainer(with);
  const std::vector batches = {lay_out(rows(4))};
  const double before = run.score(batches)->loss;
  for (int step = 0; step < 25; ++step) ASSERT_TRUE(run.step(batches));
  EXPECT_LT(run.score(batches)->loss, 0.7 * before);
}

TEST_F(TrainerRun, learns_in_bfloat16_nearly_as_in_32_bits) {
  if (!can_multiply(Precision::bf16)) GTEST_SKIP() << "this CPU has no instruction for it";
  const std::vector batches = {lay_out(rows(6))};
  const auto loss_after = [&](Precision precision) {
    auto with = options(20, 5e-3F);
    with.pass.precision = precision;
    auto run = trainer(with);
    for (int step = 0; step < 20; ++step) EXPECT_TRUE(run.step(batches));
    return run.score(batches)->loss;
  };
  EXPECT_NEAR(loss_after(Precision::bf16) / loss_after(Precision::f32), 1, 0.03);
}

TEST_F(TrainerRun, refuses_the_checkpoint_of_another_run_and_stays_as_it_was) {
  const std::vector batches = {lay_out(rows(2))};
  const auto file = model_.folder() / "checkpoint.gguf";
  auto run = trainer(options(4));
  ASSERT_TRUE(run.step(batches));
  ASSERT_TRUE(write_checkpoint(file, run, {"run 1", ""}));
  auto other = options(4);
  other.lora.rank = 4;
  EXPECT_EQ(read_checkpoint(file, run, "run 2").error().code, Code::conflict);
  auto smaller = trainer(other);
  EXPECT_THAT(read_checkpoint(file, smaller, "run 1").error().message, HasSubstr("the adapter changed"));
  other = options(4);
  other.optimizer.kind = OptimizerKind::sgd;
  auto plainer = trainer(other);
  EXPECT_THAT(read_checkpoint(file, plainer, "run 1").error().message, HasSubstr("the optimizer changed"));
  EXPECT_EQ(plainer.steps(), 0u);
}

// Zero where a sanitizer keeps the memory.
std::size_t memory_in_use() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(TrainerMemory, is_what_was_said_before) {
  const TestModel model({.layers = 4, .width = 128, .inner = 512, .vocabulary = 4096});
  for (const auto recompute : {Recompute::each_layer, Recompute::nothing}) {
    auto with = options(1);
    with.pass = {.most_tokens = 1024, .longest = 256, .recompute = recompute};
    const auto said = Trainer::memory(model.model(), 1, with)->count;
    const auto before = memory_in_use();
    Team team(1);
    auto run = Trainer::create(model.model(), team, with).value();
    const std::vector examples = {random_row(256, 4096, 1), random_row(256, 4096, 2), random_row(256, 4096, 3), random_row(256, 4096, 4)};
    ASSERT_TRUE(run.step(std::vector{lay_out(examples)}));
    if (memory_in_use() == before) GTEST_SKIP() << "this build's memory is a sanitizer's";
    EXPECT_NEAR(double(memory_in_use() - before) / double(said), 1, 0.1);
  }
}

TEST_F(TrainerRun, stops_when_told_and_changes_nothing) {
  auto run = trainer(options(4));
  const std::vector before(run.adapter().parameters().span().begin(), run.adapter().parameters().span().end());
  std::stop_source stop;
  stop.request_stop();
  const std::vector batches = {lay_out(rows(2))};
  EXPECT_EQ(run.step(batches, stop.get_token()).error().code, Code::cancelled);
  EXPECT_EQ(run.steps(), 0u);
  EXPECT_TRUE(std::ranges::equal(run.adapter().parameters().span(), before));
}

TEST_F(TrainerRun, shortens_long_gradients) {
  auto with = options(1);
  with.optimizer.kind = OptimizerKind::sgd;
  with.most_gradient_norm = 0.01F;
  auto run = trainer(with);
  const std::vector before(run.adapter().parameters().span().begin(), run.adapter().parameters().span().end());
  const auto report = run.step(std::vector{lay_out(rows(3))}).value();
  ASSERT_GT(report.gradient_norm, 0.01);
  double moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) moved += std::pow(double(run.adapter().parameters().data()[i]) - before[i], 2);
  EXPECT_NEAR(std::sqrt(moved), 0.01 * 1e-3, 1e-7);
}

TEST_F(TrainerRun, learns_nothing_from_what_is_no_number) {
  auto run = trainer(options(2));
  run.adapter().parameters().data()[0] = std::nanf("");
  const auto report = run.step(std::vector{lay_out(rows(1))}).value();
  EXPECT_TRUE(report.skipped);
  EXPECT_EQ(run.optimizer().steps(), 0u);
  EXPECT_EQ(run.adapter().parameters().data()[1], trainer(options(2)).adapter().parameters().data()[1]);
}

TEST_F(TrainerRun, scores_the_base_beside_the_adapter) {
  auto run = trainer(options(20, 1e-2F));
  const std::vector batches = {lay_out(rows(4))};
  const auto before = run.score(batches).value();
  EXPECT_EQ(before.loss, run.score(batches, Trainer::With::base)->loss);
  for (int step = 0; step < 20; ++step) ASSERT_TRUE(run.step(batches));
  EXPECT_LT(run.score(batches)->loss, before.loss - 0.5);
  EXPECT_EQ(run.score(batches, Trainer::With::base)->loss, before.loss);
}

TEST_F(TrainerRun, leaves_the_base_file_as_it_was) {
  const auto before = os::read_file(model_.file(), mib(16)).value();
  auto run = trainer(options(3, 1e-2F));
  for (int step = 0; step < 3; ++step) ASSERT_TRUE(run.step(std::vector{lay_out(rows(3))}));
  EXPECT_EQ(os::read_file(model_.file(), mib(16)).value(), before);
}

TEST_F(TrainerRun, refuses_what_cannot_be_trained) {
  auto run = trainer(options(1));
  EXPECT_THAT(run.step(std::vector{lay_out(rows(2, 50))}).error().message, HasSubstr("no token of this step is trained"));
  EXPECT_EQ(run.step(std::vector{lay_out(std::vector{random_row(65, 256, 1)})}).error().code, Code::too_large);
  EXPECT_EQ(run.step(std::vector{lay_out(rows(100))}).error().code, Code::too_large);
  auto with = options(1);
  with.pass.longest = 513;
  EXPECT_FALSE(Trainer::create(model_.model(), team_, with));
}

}  // namespace
}  // namespace puna::tune
