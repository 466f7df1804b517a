#include "fleet/lifecycle.h"

#include <gtest/gtest.h>

namespace puna::fleet {
namespace {

using enum wire::WorkerState;

constexpr std::array kAll = {starting, loading, ready, busy, draining, stopping, stopped, failed};

// ledger: M11
TEST(Lifecycle, ends_in_exactly_one_terminal_state) {
  for (const auto to : kAll) {
    EXPECT_FALSE(may_follow(stopped, to));
    EXPECT_FALSE(may_follow(failed, to));
  }
}

// ledger: M11
TEST(Lifecycle, can_fail_from_every_living_state_and_be_stopped_from_each) {
  for (const auto from : {starting, loading, ready, busy}) {
    EXPECT_TRUE(may_follow(from, failed));
    EXPECT_TRUE(may_follow(from, stopping));
  }
}

// ledger: M11
TEST(Lifecycle, never_goes_back_to_an_earlier_phase) {
  EXPECT_FALSE(may_follow(loading, starting));
  EXPECT_FALSE(may_follow(ready, loading));
  EXPECT_FALSE(may_follow(stopping, ready));
  EXPECT_FALSE(may_follow(stopping, failed));
  EXPECT_FALSE(may_follow(starting, busy));
}

// ledger: M11
TEST(Lifecycle, drains_before_it_stops_and_takes_no_requests_any_more) {
  EXPECT_TRUE(may_follow(busy, draining));
  EXPECT_TRUE(may_follow(draining, stopping));
  EXPECT_TRUE(may_follow(draining, failed));
  EXPECT_FALSE(may_follow(draining, ready));
  EXPECT_FALSE(may_follow(draining, busy));
  EXPECT_FALSE(may_follow(stopping, draining));
}

TEST(Lifecycle, alternates_between_ready_and_busy) {
  EXPECT_TRUE(may_follow(ready, busy));
  EXPECT_TRUE(may_follow(busy, ready));
  EXPECT_FALSE(may_follow(busy, busy));
}

}  // namespace
}  // namespace puna::fleet
