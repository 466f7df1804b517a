#include "hub/transfer/schedule.h"

#include <gtest/gtest.h>

namespace puna::hub::transfer {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TEST(Schedule, knows_what_holds_at_a_time_of_the_day) {
  const auto schedule = Schedule::parse("22:00-06:00=0 08:00-18:00=2MB  12:00-13:00=pause").value();
  EXPECT_EQ(schedule.at(hours(23)), Allowance{});
  EXPECT_EQ(schedule.at(hours(0)), Allowance{});
  EXPECT_EQ(schedule.at(hours(5) + minutes(59)), Allowance{});
  EXPECT_EQ(schedule.at(hours(6)), std::nullopt);
  EXPECT_EQ(schedule.at(hours(12)), Allowance{.per_second = Bytes(2'000'000)}) << "the first entry that covers it";
  EXPECT_EQ(schedule.at(hours(18)), std::nullopt);
}

TEST(Schedule, can_pause_and_cover_the_whole_day) {
  const auto schedule = Schedule::parse("00:00-24:00=pause").value();
  EXPECT_TRUE(schedule.at(hours(23) + minutes(59))->paused);
}

TEST(Schedule, nothing_is_a_schedule_too) {
  EXPECT_EQ(Schedule::parse(" ").value().at(hours(3)), std::nullopt);
}

TEST(Schedule, names_the_entry_it_cannot_read) {
  for (const auto* text : {"always", "8-18=2MB", "08:00-18:00", "08:00-18:00=fast", "25:00-26:00=1MB", "08:60-09:00=0"}) {
    const auto refused = Schedule::parse(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().message.find(text), std::string::npos);
  }
}

}  // namespace
}  // namespace puna::hub::transfer
