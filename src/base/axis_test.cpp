#include "base/axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna {
namespace {

std::vector<std::string> texts(double low, double high, std::size_t most) {
  std::vector<std::string> out;
  for (const auto& mark : axis_marks(low, high, most)) out.push_back(mark.text);
  return out;
}

TEST(Axis, marks_stand_at_round_numbers_inside_the_ends) {
  EXPECT_THAT(texts(0, 1000, 6), testing::ElementsAre("0", "200", "400", "600", "800", "1000"));
  EXPECT_THAT(texts(0.13, 2.4, 5), testing::ElementsAre("0.5", "1.0", "1.5", "2.0"));
  EXPECT_THAT(texts(0.101, 0.104, 4), testing::ElementsAre("0.101", "0.102", "0.103", "0.104"));
  EXPECT_THAT(texts(-1, 1, 3), testing::ElementsAre("-1", "0", "1"));
}

TEST(Axis, has_a_mark_where_all_values_are_one) {
  EXPECT_THAT(texts(3, 3, 5), testing::ElementsAre("3"));
  EXPECT_THAT(texts(3.14159, 3.14159, 5), testing::ElementsAre("3.142"));
}

TEST(Axis, never_has_more_marks_than_allowed_nor_none) {
  for (const double span : {1e-7, 0.3, 7.0, 12345.0, 1e12})
    for (std::size_t most = 1; most < 9; ++most) {
      const auto marks = axis_marks(1.7, 1.7 + span, most);
      EXPECT_LE(marks.size(), most) << span;
      EXPECT_FALSE(marks.empty()) << span;
    }
}

}  // namespace
}  // namespace puna
