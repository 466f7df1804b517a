#include "dataset/order.h"

#include <gtest/gtest.h>

#include <vector>

namespace puna::dataset {
namespace {

std::vector<std::uint64_t> all(const Shuffle& shuffle) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < shuffle.count(); ++i) out.push_back(shuffle.at(i));
  return out;
}

TEST(Shuffle, takes_each_row_once) {
  for (const std::uint64_t count : {1U, 2U, 3U, 17U, 64U, 1000U, 4097U}) {
    std::vector<int> seen(count);
    for (const auto row : all(Shuffle(42, 3, count))) ++seen.at(row);
    EXPECT_EQ(seen, std::vector<int>(count, 1)) << count;
  }
}

TEST(Shuffle, differs_by_seed_and_by_epoch_and_repeats_itself) {
  EXPECT_EQ(all(Shuffle(1, 0, 100)), all(Shuffle(1, 0, 100)));
  EXPECT_NE(all(Shuffle(1, 0, 100)), all(Shuffle(2, 0, 100)));
  EXPECT_NE(all(Shuffle(1, 0, 100)), all(Shuffle(1, 1, 100)));
}

// A run that is resumed by another version must meet the same rows.
TEST(Shuffle, is_the_same_order_for_ever) {
  EXPECT_EQ(all(Shuffle(42, 0, 8)), (std::vector<std::uint64_t>{2, 1, 7, 5, 3, 4, 0, 6}));
}

TEST(Shuffle, sends_rows_everywhere) {
  // Of 10,000 rows, those that begin in the first tenth end in each tenth about equally often.
  std::vector<int> tenths(10);
  const Shuffle shuffle(5, 0, 10'000);
  for (std::uint64_t i = 0; i < 1000; ++i) ++tenths.at(shuffle.at(i) / 1000);
  for (const int tenth : tenths) EXPECT_NEAR(tenth, 100, 40);
}

}  // namespace
}  // namespace puna::dataset
