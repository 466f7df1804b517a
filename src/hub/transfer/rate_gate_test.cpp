#include "hub/transfer/rate_gate.h"

#include <gtest/gtest.h>

#include "net/retry.h"

namespace puna::hub::transfer {
namespace {

constexpr MonotonicTime kNow{std::chrono::hours(1)};
const WallTime kWall = std::chrono::system_clock::from_time_t(1'800'000'000);
const std::string kHost = "hub.example:443";

TEST(RateGate, is_open_to_hosts_that_said_nothing) {
  RateGate gate;
  EXPECT_EQ(gate.enter(kHost, kNow), Milliseconds(0));
}

// ledger: T5
TEST(RateGate, obeys_retry_after_in_seconds_and_as_a_date) {
  RateGate gate;
  EXPECT_EQ(gate.refused(kHost, {{"Retry-After", "7"}}, Milliseconds(1), kNow, kWall), Seconds(7));
  EXPECT_EQ(gate.enter(kHost, kNow), Seconds(7));
  EXPECT_EQ(gate.enter("other.example:443", kNow), Milliseconds(0));
  const auto date = net::format_http_date(kWall + Seconds(30));
  EXPECT_EQ(gate.refused(kHost, {{"Retry-After", date}}, Milliseconds(1), kNow, kWall), Seconds(30));
  EXPECT_EQ(gate.enter(kHost, kNow + Seconds(29)), Seconds(1));
  EXPECT_EQ(gate.enter(kHost, kNow + Seconds(30)), Milliseconds(0));
}

TEST(RateGate, waits_for_the_reset_of_a_used_up_limit) {
  RateGate gate;
  gate.refused(kHost, {{"RateLimit", "\"resolvers\";r=0;t=55"}}, Milliseconds(1), kNow, kWall);
  EXPECT_EQ(gate.closed_for(kHost, kNow), Seconds(56));
  gate.learn("b:1", {{"RateLimit", "\"api\";r=0;t=3"}}, kNow);
  EXPECT_EQ(gate.enter("b:1", kNow), Seconds(3));
}

TEST(RateGate, waits_as_told_by_the_caller_when_the_server_says_nothing) {
  RateGate gate;
  EXPECT_EQ(gate.refused(kHost, {}, Milliseconds(250), kNow, kWall), Milliseconds(250));
}

TEST(RateGate, spreads_the_last_requests_over_the_time_that_is_left) {
  RateGate gate;
  gate.learn(kHost, {{"RateLimit", "\"resolvers\";r=4;t=50"}}, kNow);
  EXPECT_EQ(gate.enter(kHost, kNow), Milliseconds(0));
  EXPECT_EQ(gate.enter(kHost, kNow), Seconds(10));
  EXPECT_EQ(gate.enter(kHost, kNow + Seconds(60)), Milliseconds(0));
  EXPECT_EQ(gate.enter(kHost, kNow + Seconds(60)), Milliseconds(0)) << "the limit was reset";
}

TEST(RateGate, reads_both_forms_of_the_header) {
  EXPECT_EQ(parse_rate_limit({{"RateLimit", "\"api\";r=12;t=55"}}), (RateLimit{12, Seconds(55)}));
  EXPECT_EQ(parse_rate_limit({{"RateLimit", "limit=100, remaining=3, reset=9"}}), (RateLimit{3, Seconds(9)}));
  EXPECT_EQ(parse_rate_limit({{"RateLimit-Remaining", "1"}, {"RateLimit-Reset", "2"}}), (RateLimit{1, Seconds(2)}));
  EXPECT_EQ(parse_rate_limit({{"RateLimit", "soon"}}), std::nullopt);
}

}  // namespace
}  // namespace puna::hub::transfer
