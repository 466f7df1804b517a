#include "tune/objective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "tune/arithmetic/random.h"
#include "tune/divergence.h"
#include "tune/trainer.h"
#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

constexpr std::array kLosses = {Loss::dpo, Loss::ipo, Loss::dpo_normalized, Loss::orpo, Loss::kto};
constexpr double kDivergence = 0.3;

TokenRow answer(Answer kind, std::size_t count, std::uint64_t seed, std::size_t prompt = 3) {
  TokenRow row = random_row(count, 256, seed, prompt);
  row.answer = kind;
  return row;
}

// Two pairs, or four judged answers, of different lengths; one token counts half.
MicroBatch batch_for(Loss loss) {
  const bool judged = loss == Loss::kto;
  const auto first = judged ? Answer::good : Answer::chosen;
  const auto second = judged ? Answer::bad : Answer::rejected;
  std::vector rows = {answer(first, 9, 1), answer(second, 7, 2), answer(first, 6, 3), answer(second, 12, 4)};
  rows[0].weights[5] = 0.5F;
  return lay_out(rows);
}

std::vector<float> some_logs(std::size_t count, std::uint64_t seed) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = -0.2F - 3 * uniform(seed, i);
  return out;
}

// The loss of a pair of answers of one token each, whose probabilities and base's are these.
double pair_loss(const ObjectiveOptions& options, double chosen, double rejected, double base_chosen = 1, double base_rejected = 1) {
  const std::vector rows = {answer(Answer::chosen, 2, 1, 1), answer(Answer::rejected, 2, 2, 1)};
  const auto batch = lay_out(rows);
  const std::vector logs = {static_cast<float>(std::log(chosen)), static_cast<float>(std::log(rejected))};
  const std::vector base = {static_cast<float>(std::log(base_chosen)), static_cast<float>(std::log(base_rejected))};
  return make_objective(options)->judge({.batch = batch, .logs = logs, .base = base}).loss;
}

// By hand: the chosen answer became twice as likely, the rejected one half as likely, so that h = log 4.
TEST(Objective, of_dpo_is_the_papers) {
  EXPECT_NEAR(pair_loss({.loss = Loss::dpo, .beta = 0.5}, 0.5, 0.25, 0.25, 0.5), std::log(1 + 0.5), 1e-6);  // 4^-0.5
  EXPECT_NEAR(pair_loss({.loss = Loss::dpo, .beta = 1}, 0.5, 0.25, 0.25, 0.5), std::log(1 + 0.25), 1e-6);
  EXPECT_NEAR(pair_loss({.loss = Loss::dpo, .beta = 1, .label_smoothing = 0.1}, 0.5, 0.25, 0.25, 0.5),
              0.9 * std::log(1.25) + 0.1 * std::log(5), 1e-6);
}

TEST(Objective, of_ipo_is_the_papers) {
  EXPECT_NEAR(pair_loss({.loss = Loss::ipo, .beta = 0.5}, 0.5, 0.25, 0.25, 0.5), std::pow(std::log(4) - 1, 2), 1e-6);
}

TEST(Objective, of_orpo_is_the_papers) {
  // odds 3 and 1/3: their ratio is 9.
  EXPECT_NEAR(pair_loss({.loss = Loss::orpo, .beta = 0.2}, 0.75, 0.25), -std::log(0.75) + 0.2 * std::log(1 + 1.0 / 9), 1e-6);
}

TEST(Objective, of_kto_is_the_papers) {
  const std::vector rows = {answer(Answer::good, 2, 1, 1), answer(Answer::bad, 2, 2, 1)};
  const auto batch = lay_out(rows);
  const std::vector logs = {std::log(0.5F), std::log(0.25F)};
  const std::vector base = {std::log(0.25F), std::log(0.25F)};
  const auto judged = make_objective({.loss = Loss::kto, .beta = 1, .undesirable_weight = 3})
                          ->judge({.batch = batch, .logs = logs, .base = base, .divergence = std::log(2.0)});
  EXPECT_NEAR(judged.loss, 1 - 0.5 + 3 * (1 - 2.0 / 3), 1e-6);  // s(log 2 - log 2), s(log 2 - 0)
}

TEST(Objective, of_means_does_not_depend_on_how_long_an_answer_is) {
  const auto loss_of = [](std::size_t tokens) {
    const std::vector rows = {answer(Answer::chosen, 1 + tokens, 1, 1), answer(Answer::rejected, 3, 2, 1)};
    const auto batch = lay_out(rows);
    const std::vector<float> logs(batch.trained.size(), -1);
    std::vector<float> base(batch.trained.size(), -2);
    return make_objective({.loss = Loss::dpo_normalized})->judge({.batch = batch, .logs = logs, .base = base}).loss;
  };
  EXPECT_NEAR(loss_of(2), loss_of(9), 1e-9);
}

TEST(Objective, has_slopes_that_are_those_of_finite_differences) {
  for (const auto loss : kLosses) {
    const auto objective = make_objective({.loss = loss, .beta = 0.7, .label_smoothing = 0.1, .undesirable_weight = 2});
    const auto batch = batch_for(loss);
    auto logs = some_logs(batch.trained.size(), 1);
    const auto base = some_logs(batch.trained.size(), 2);
    const auto judge = [&] { return objective->judge({.batch = batch, .logs = logs, .base = base, .divergence = kDivergence}); };
    const auto slopes = judge().slopes;
    for (std::size_t i = 0; i < logs.size(); ++i) {
      const float at = logs[i];
      logs[i] = at + 1e-2F;
      const double above = judge().loss;
      logs[i] = at - 1e-2F;
      const double below = judge().loss;
      logs[i] = at;
      EXPECT_NEAR((above - below) / 2e-2, slopes[i], 2e-4 + 2e-3 * std::abs(slopes[i])) << int(loss) << " place " << i;
    }
  }
}

// Along the gradient itself, through the whole model.
TEST(Objective, moves_every_parameter_as_finite_differences_do) {
  const TestModel model;
  Team team(2);
  for (const auto loss : kLosses) {
    const auto objective = make_objective({.loss = loss, .beta = 0.5});
    const auto batch = batch_for(loss);
    Adapter adapter = stirred_adapter(model.model(), {.rank = 4});
    Pass pass(model.model(), team, &adapter, {.most_tokens = batch.tokens.size(), .longest = batch.longest()});
    const auto base = pass.score(batch, nullptr).value();
    const auto judge = [&](std::span<const float> logs) {
      return objective->judge({.batch = batch, .logs = logs, .base = base, .divergence = kDivergence});
    };
    ASSERT_TRUE(pass.train(batch, adapter, 0, [&](std::span<const float> logs) { return judge(logs).slopes; }));
    double square = 0;
    for (const float value : adapter.gradients().span()) square += double(value) * value;
    const auto moved = [&](double step) {
      const auto scale = static_cast<float>(step / std::sqrt(square));
      for (std::size_t i = 0; i < adapter.parameters().size(); ++i) adapter.parameters().data()[i] += scale * adapter.gradients().data()[i];
      return judge(pass.score(batch, &adapter).value()).loss;
    };
    const double above = moved(4e-3);
    const double below = moved(-8e-3);
    EXPECT_NEAR((above - below) / 8e-3 / std::sqrt(square), 1, 5e-3) << int(loss);
  }
}

TEST(Objective, stays_finite_where_the_model_is_certain) {
  for (const auto loss : kLosses) {
    const auto batch = batch_for(loss);
    for (const float certainty : {0.0F, -1e-8F, -200.0F}) {
      const std::vector<float> logs(batch.trained.size(), certainty);
      const std::vector<float> base(batch.trained.size(), -1);
      const auto judged = make_objective({.loss = loss})->judge({.batch = batch, .logs = logs, .base = base});
      EXPECT_TRUE(std::isfinite(judged.loss));
      for (const float slope : judged.slopes) EXPECT_TRUE(std::isfinite(slope)) << int(loss);
    }
  }
}

TEST(Objective, begins_where_the_model_is_its_own_reference) {
  const TestModel model;
  Team team(1);
  const std::vector batches = {batch_for(Loss::dpo)};
  const TrainerOptions options{.objective = {.loss = Loss::dpo}, .schedule = {.steps = 1}, .pass = {.most_tokens = 64, .longest = 16}};
  auto trainer = Trainer::create(model.model(), team, options).value();
  EXPECT_NEAR(trainer.score(batches, Trainer::With::base)->loss, std::log(2.0), 1e-6);
  EXPECT_NEAR(trainer.score(batches)->loss, std::log(2.0), 1e-6);
}

class Learnt {
 public:
  explicit Learnt(Loss loss)
      : options_{.lora = {.rank = 4},
                 .objective = {.loss = loss, .beta = 0.5},
                 .schedule = {.rate = 1e-3F, .decay = Decay::linear, .steps = 30},
                 .pass = {.most_tokens = 64, .longest = 16}} {}
  // After 30 steps.
  std::pair<StepReport, Score> run(std::span<const MicroBatch> batches) {
    const TestModel model;
    Team team(2);
    auto trainer = Trainer::create(model.model(), team, options_).value();
    StepReport first = trainer.step(batches).value();
    for (int step = 0; step < 29; ++step) EXPECT_TRUE(trainer.step(batches));
    return {first, trainer.score(batches).value()};
  }

 private:
  TrainerOptions options_;
};

TEST(Objective, makes_the_better_answers_likelier_than_the_worse_ones) {
  for (const auto loss : kLosses) {
    const std::vector batches = {batch_for(loss)};
    const auto [first, last] = Learnt(loss).run(batches);
    EXPECT_LT(last.loss, first.loss) << int(loss);
    ASSERT_TRUE(last.rewards);
    EXPECT_EQ(last.rewards->right, last.rewards->compared) << int(loss);
    EXPECT_GT(last.rewards->chosen / double(last.rewards->chosen_count), last.rewards->rejected / double(last.rewards->rejected_count));
  }
}

TEST(Objective, learns_the_same_however_pairs_are_spread_over_micro_batches) {
  const std::vector rows = {answer(Answer::chosen, 9, 1), answer(Answer::rejected, 7, 2), answer(Answer::chosen, 6, 3),
                            answer(Answer::rejected, 12, 4)};
  const std::vector together = {lay_out(rows)};
  const std::vector apart = {lay_out(std::span(rows).first(2)), lay_out(std::span(rows).last(2))};
  EXPECT_NEAR(Learnt(Loss::dpo).run(together).second.loss, Learnt(Loss::dpo).run(apart).second.loss, 1e-4);
}

TEST(Objective, refuses_rows_that_it_cannot_compare) {
  const std::vector lonely = {answer(Answer::chosen, 9, 1)};
  const std::vector turned = {answer(Answer::rejected, 9, 1), answer(Answer::chosen, 9, 2)};
  const std::vector untrained = {answer(Answer::chosen, 9, 1), answer(Answer::rejected, 3, 2)};
  const auto objective = make_objective({.loss = Loss::dpo});
  for (const auto& rows : {lonely, turned, untrained}) EXPECT_EQ(objective->check(lay_out(rows)).error().code, Code::invalid_argument);
  EXPECT_FALSE(make_objective({.loss = Loss::kto})->check(lay_out(turned)));
}

TEST(Objective, options_out_of_bounds_are_named) {
  EXPECT_THAT(check(ObjectiveOptions{.beta = 0}).error().message, testing::HasSubstr("beta is 0"));
  EXPECT_FALSE(check(ObjectiveOptions{.label_smoothing = 0.5}));
  EXPECT_FALSE(check(ObjectiveOptions{.desirable_weight = -1}));
}

TEST(Divergence, is_estimated_by_answers_to_other_prompts) {
  const std::vector rows = {TokenRow{.tokens = {1, 2, 30}, .weights = {0, 0, 1}}, TokenRow{.tokens = {1, 2, 40}, .weights = {0, 0, 1}},
                            TokenRow{.tokens = {1, 3, 50, 51}, .weights = {0, 0, 0.5F, 1}}};
  const std::vector batches = {lay_out(std::span(rows).first(2)), lay_out(std::span(rows).last(1))};
  const auto mismatched = mismatched_rows(batches, 4);
  ASSERT_EQ(mismatched.size(), 3U);
  for (const auto& row : {mismatched[0], mismatched[1]}) {  // both ask the same, so neither answers the other
    EXPECT_THAT(row.tokens, testing::ElementsAre(1, 2, 50, 51));
    EXPECT_THAT(row.weights, testing::ElementsAre(0, 0, 0.5F, 1));
  }
  EXPECT_THAT(mismatched[2].tokens, testing::ElementsAre(1, 3, 30));
  EXPECT_THAT(mismatched_rows(batches, 3)[0].tokens, testing::ElementsAre(1, 2, 50));
}

}  // namespace
}  // namespace puna::tune
