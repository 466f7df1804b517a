#include "cli/screen/time_text.h"

#include <gtest/gtest.h>

namespace puna::cli {
namespace {

const WallTime kNow = *parse_time("2026-03-01T12:00:00.000Z");

TEST(TimeText, says_how_long_ago_in_the_largest_unit) {
  EXPECT_EQ(time_ago("2026-03-01T11:59:59.900Z", kNow), "just now");
  EXPECT_EQ(time_ago("2026-03-01T11:59:00.000Z", kNow), "1 minute ago");
  EXPECT_EQ(time_ago("2026-02-27T12:00:00.000Z", kNow), "2 days ago");
  EXPECT_EQ(time_ago("2026-02-01T12:00:00.000Z", kNow), "4 weeks ago");
  EXPECT_EQ(time_ago("2024-02-01T12:00:00.000Z", kNow), "2 years ago");
}

TEST(TimeText, says_how_far_ahead) {
  EXPECT_EQ(time_ahead("2026-03-01T12:04:59.500Z", kNow), "5 minutes from now");
  EXPECT_EQ(time_ahead("2026-03-01T11:00:00.000Z", kNow), "now");
}

TEST(TimeText, what_is_no_time_is_shown_as_it_is) {
  EXPECT_EQ(time_ago("yesterday", kNow), "yesterday");
}

}  // namespace
}  // namespace puna::cli
