#include "tune/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::tune {
namespace {

using testing::HasSubstr;

TEST(Schedule, rises_in_even_steps_and_then_falls) {
  const ScheduleOptions options{.rate = 0.1F, .decay = Decay::linear, .warm_up = 4, .steps = 14};
  EXPECT_FLOAT_EQ(learning_rate(options, 0), 0.025F);
  EXPECT_FLOAT_EQ(learning_rate(options, 3), 0.1F);
  EXPECT_FLOAT_EQ(learning_rate(options, 4), 0.1F);
  EXPECT_FLOAT_EQ(learning_rate(options, 9), 0.05F);
  EXPECT_FLOAT_EQ(learning_rate(options, 14), 0);
}

TEST(Schedule, falls_along_a_cosine_to_its_floor) {
  const ScheduleOptions options{.rate = 0.1F, .decay = Decay::cosine, .steps = 10, .floor = 0.1F};
  EXPECT_FLOAT_EQ(learning_rate(options, 0), 0.1F);
  EXPECT_FLOAT_EQ(learning_rate(options, 5), 0.055F);
  EXPECT_FLOAT_EQ(learning_rate(options, 10), 0.01F);
  EXPECT_FLOAT_EQ(learning_rate(options, 1000), 0.01F);
}

TEST(Schedule, stays_when_told_to) {
  EXPECT_FLOAT_EQ(learning_rate({.rate = 0.1F, .decay = Decay::constant, .warm_up = 2, .steps = 10}, 9), 0.1F);
}

TEST(Schedule, names_what_is_out_of_bounds) {
  EXPECT_TRUE(check(ScheduleOptions{.steps = 1}));
  EXPECT_THAT(check(ScheduleOptions{.steps = 0}).error().message, HasSubstr("at least one step"));
  EXPECT_THAT(check(ScheduleOptions{.warm_up = 5, .steps = 5}).error().message,
              HasSubstr("warm-up of 5 steps leaves nothing of a run of 5"));
  EXPECT_THAT(check(ScheduleOptions{.rate = 0, .steps = 5}).error().message, HasSubstr("learning rate is 0"));
  EXPECT_THAT(check(ScheduleOptions{.steps = 5, .floor = 2}).error().message, HasSubstr("floor"));
}

}  // namespace
}  // namespace puna::tune
