#include "trainer/course.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace puna::trainer {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Le;
using testing::SizeIs;

Course course(std::vector<std::uint32_t> lengths, const CourseOptions& options) {
  return Course::create(std::move(lengths), options).value();
}

TEST(Course, an_epoch_takes_every_row_once) {
  const auto made = course(std::vector<std::uint32_t>(10, 5), {.epochs = 1, .batch_rows = 4});
  ASSERT_EQ(made.steps(), 3);
  std::multiset<std::uint32_t> seen;
  for (std::int64_t step = 0; step < 3; ++step)
    for (const auto row : made.rows(step)) seen.insert(row);
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(made.rows(2), SizeIs(2));
}

TEST(Course, epochs_follow_each_other_in_other_orders_without_short_steps) {
  const auto made = course(std::vector<std::uint32_t>(10, 5), {.epochs = 2, .batch_rows = 4});
  ASSERT_EQ(made.steps(), 5);
  for (std::int64_t step = 0; step < 5; ++step) EXPECT_THAT(made.rows(step), SizeIs(4));
  EXPECT_DOUBLE_EQ(made.epoch(5), 2);
  EXPECT_DOUBLE_EQ(made.epoch(1), 0.4);
}

TEST(Course, is_the_same_for_the_same_seed_at_any_step) {
  const CourseOptions options{.epochs = 3, .batch_rows = 3, .seed = 7};
  const auto one = course(std::vector<std::uint32_t>(11, 1), options);
  const auto other = course(std::vector<std::uint32_t>(11, 1), options);
  EXPECT_EQ(one.rows(9), other.rows(9));
  EXPECT_NE(one.rows(0), course(std::vector<std::uint32_t>(11, 1), {.epochs = 3, .batch_rows = 3, .seed = 8}).rows(0));
}

TEST(Course, max_steps_alone_takes_as_many_epochs_as_it_needs) {
  EXPECT_EQ(course({1, 1, 1}, {.max_steps = 40, .batch_rows = 2}).steps(), 40);
  EXPECT_EQ(course({1, 1, 1}, {.epochs = 2, .max_steps = 40, .batch_rows = 2}).steps(), 3);
}

TEST(Course, steps_of_so_many_tokens_hold_whole_rows) {
  const auto made = course({60, 50, 40, 30, 200}, {.epochs = 4, .batch_tokens = 100});
  std::uint64_t all = 0;
  for (std::int64_t step = 0; step < made.steps(); ++step) {
    EXPECT_TRUE(made.tokens(step) <= 100 || made.rows(step).size() == 1) << step;
    all += made.tokens(step);
  }
  EXPECT_EQ(all, 4U * 380);
  EXPECT_EQ(made.tokens_after(0), all);
  EXPECT_EQ(made.tokens_after(made.steps()), 0U);
}

}  // namespace
}  // namespace puna::trainer
