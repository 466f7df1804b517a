#include "trainer/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace puna::trainer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

TEST(Guard, a_step_without_a_number_is_noted_and_many_in_a_row_end_the_run) {
  Guard guard(0);
  for (int step = 1; step < 5; ++step)
    EXPECT_THAT(guard.step(step, kNoNumber, true, 0.5).value(), ElementsAre(HasSubstr("nothing was learnt")));
  const auto lost = guard.step(5, kNoNumber, true, 0.5);
  ASSERT_FALSE(lost);
  EXPECT_THAT(lost.error().message, HasSubstr("lower learning_rate than 0.5"));
}

TEST(Guard, a_good_step_between_bad_ones_saves_the_run) {
  Guard guard(0);
  for (int step = 1; step <= 20; ++step) EXPECT_TRUE(guard.step(step, step % 2 == 0 ? 1.0 : kNoNumber, step % 2 != 0, 1e-4)) << step;
}

TEST(Guard, a_jump_of_the_loss_is_noted_once_it_has_settled) {
  Guard guard(0);
  EXPECT_THAT(guard.step(1, 9, false, 1e-4).value(), IsEmpty());
  for (int step = 2; step <= 30; ++step) EXPECT_THAT(guard.step(step, 1, false, 1e-4).value(), IsEmpty()) << step;
  EXPECT_THAT(guard.step(31, 6, false, 1e-4).value(), ElementsAre(HasSubstr("jumped from about")));
}

TEST(Guard, it_is_enough_after_so_many_evaluations_without_a_better_one) {
  Guard guard(2);
  EXPECT_TRUE(guard.evaluation(0, 3.0).best);
  EXPECT_TRUE(guard.evaluation(10, 2.0).best);
  EXPECT_FALSE(guard.evaluation(20, 2.0).best);
  EXPECT_FALSE(guard.enough());
  EXPECT_FALSE(guard.evaluation(30, 2.5).best);
  EXPECT_TRUE(guard.enough());
  EXPECT_EQ(guard.state().best_step, 10);
}

TEST(Guard, an_evaluation_loss_that_rises_is_noted_once) {
  Guard guard(0);
  std::size_t notes = 0;
  for (int i = 0; i < 6; ++i) notes += guard.evaluation(i, 1 + 0.1 * i).notes.size();
  EXPECT_EQ(notes, 1U);
}

TEST(Guard, goes_on_from_its_state_as_if_it_had_not_stopped) {
  Guard whole(3);
  Guard first(3);
  for (int step = 1; step <= 20; ++step) {
    EXPECT_TRUE(whole.step(step, 2.0 / step, false, 1e-4));
    if (step <= 10) EXPECT_TRUE(first.step(step, 2.0 / step, false, 1e-4));
  }
  Guard second(3);
  second.restore(json::decode<GuardState>(json::encode(first.state())).value());
  for (int step = 11; step <= 20; ++step) EXPECT_TRUE(second.step(step, 2.0 / step, false, 1e-4));
  EXPECT_EQ(json::to_text(json::encode(second.state())), json::to_text(json::encode(whole.state())));
}

}  // namespace
}  // namespace puna::trainer
