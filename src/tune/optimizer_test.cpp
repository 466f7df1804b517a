#include "tune/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

using testing::HasSubstr;

// The formulas of the header, in 64 bits, for one parameter whose gradient is always `slope`.
double after(const OptimizerOptions& options, double p, double slope, double rate, int steps) {
  double m = 0;
  double v = 0;
  for (int t = 1; t <= steps; ++t) {
    p *= 1 - rate * options.weight_decay;
    if (options.kind == OptimizerKind::sgd) {
      m = options.momentum * m + slope;
      p -= rate * m;
      continue;
    }
    m = options.beta1 * m + (1 - options.beta1) * slope;
    v = options.beta2 * v + (1 - options.beta2) * slope * slope;
    p -= rate * m / (1 - std::pow(options.beta1, t)) / (std::sqrt(v / (1 - std::pow(options.beta2, t))) + options.epsilon);
  }
  return p;
}

struct Moved {
  float a;
  float b;
};

// All parameters begin at 0.5, all gradients are -3 and are halved.
Moved move(const OptimizerOptions& options, int steps) {
  const TestModel model;
  Adapter adapter = Adapter::create(model.model(), {.rank = 3}).value();
  std::ranges::fill(adapter.parameters().span(), 0.5F);
  std::ranges::fill(adapter.gradients().span(), -3.0F);
  Team team(2);
  Optimizer optimizer(options, adapter.parameters().size());
  for (int step = 0; step < steps; ++step) optimizer.step(team, adapter, 0.01F, 0.5F);
  const auto& last = adapter.pairs().back();
  return {adapter.parameters().data()[last.a], adapter.parameters().data()[last.b + last.b_size() - 1]};
}

TEST(Optimizer, adamw_is_its_formula) {
  const OptimizerOptions options{.weight_decay = 0.1F};
  for (const int steps : {1, 7}) EXPECT_NEAR(move(options, steps).a, after(options, 0.5, -1.5, 0.01, steps), 1e-6);
}

TEST(Optimizer, adamw_in_8_bits_is_nearly_its_formula) {
  const OptimizerOptions options{.kind = OptimizerKind::adamw_8bit, .weight_decay = 0.1F};
  EXPECT_NEAR(move(options, 1).a, after({.weight_decay = 0.1F}, 0.5, -1.5, 0.01, 1), 1e-6);
  EXPECT_NEAR(move(options, 30).b, after({.weight_decay = 0.1F}, 0.5, -1.5, 0.01, 30), 0.01);
}

TEST(Optimizer, keeps_8_bits_of_blocks_that_hold_parts_of_two_pairs) {
  const OptimizerOptions options{.kind = OptimizerKind::adamw_8bit, .b_rate_ratio = 4};
  const auto moved = move(options, 1);
  EXPECT_NEAR((moved.b - 0.5) / (moved.a - 0.5), 4, 1e-3);
}

TEST(Optimizer, sgd_is_its_formula_with_and_without_momentum) {
  for (const float momentum : {0.0F, 0.9F}) {
    const OptimizerOptions options{.kind = OptimizerKind::sgd, .weight_decay = 0.1F, .momentum = momentum};
    EXPECT_NEAR(move(options, 5).a, after(options, 0.5, -1.5, 0.01, 5), 1e-6);
  }
}

TEST(Optimizer, moves_b_faster_when_told_to) {
  const OptimizerOptions options{.kind = OptimizerKind::sgd, .b_rate_ratio = 16};
  const auto moved = move(options, 1);
  EXPECT_NEAR((moved.b - 0.5) / (moved.a - 0.5), 16, 1e-4);
}

TEST(Optimizer, tells_its_memory) {
  EXPECT_EQ(Optimizer::memory({}, 100), Bytes(800));
  EXPECT_EQ(Optimizer::memory({.kind = OptimizerKind::adamw_8bit}, 1024), Bytes(2048 + 32));
  EXPECT_EQ(Optimizer::memory({.kind = OptimizerKind::sgd}, 100), Bytes(0));
  EXPECT_EQ(Optimizer::memory({.kind = OptimizerKind::sgd, .momentum = 0.5F}, 100), Bytes(400));
}

TEST(Optimizer, names_what_is_out_of_bounds) {
  EXPECT_TRUE(check(OptimizerOptions{}));
  EXPECT_THAT(check(OptimizerOptions{.beta1 = 1}).error().message, HasSubstr("beta1 is 1"));
  EXPECT_THAT(check(OptimizerOptions{.beta2 = -1}).error().message, HasSubstr("beta2"));
  EXPECT_THAT(check(OptimizerOptions{.epsilon = 0}).error().message, HasSubstr("epsilon"));
  EXPECT_THAT(check(OptimizerOptions{.weight_decay = NAN}).error().message, HasSubstr("weight decay"));
  EXPECT_THAT(check(OptimizerOptions{.b_rate_ratio = 0.5F}).error().message, HasSubstr("from 1 to 100"));
}

}  // namespace
}  // namespace puna::tune
