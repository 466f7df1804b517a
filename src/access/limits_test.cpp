#include "access/limits.h"

#include <gtest/gtest.h>

namespace puna::access {
namespace {

using namespace std::chrono_literals;

std::string header(const Limits& limits, const std::string& client, const Rate& rate, std::string_view name) {
  for (const auto& [key, value] : limits.headers(client, rate))
    if (key == name) return value;
  return "none";
}

struct LimitScene {
  ManualClock clock;
  Limits limits{clock};
};

TEST(Limits, refuse_more_requests_than_a_minute_has_and_say_when_the_next_may_come) {
  LimitScene scene;
  const Rate rate{.requests = 6};
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(scene.limits.take_request("a", rate));
  const auto refused = scene.limits.take_request("a", rate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::overloaded);
  EXPECT_EQ(refused.error().retry_after, 10s);
  EXPECT_TRUE(scene.limits.take_request("b", rate)) << "each client has its own";
  scene.clock.advance(10s);
  EXPECT_TRUE(scene.limits.take_request("a", rate));
  EXPECT_FALSE(scene.limits.take_request("a", rate));
}

TEST(Limits, let_tokens_be_overdrawn_once_and_wait_for_the_debt) {
  LimitScene scene;
  const Rate rate{.tokens = 600};
  EXPECT_TRUE(scene.limits.take_request("a", rate));
  scene.limits.take_tokens("a", 900);
  EXPECT_EQ(scene.limits.take_request("a", rate).error().retry_after, 30'100ms) << "300 too many at 10 a second, and one to begin with";
  scene.clock.advance(30'100ms);
  EXPECT_TRUE(scene.limits.take_request("a", rate));
}

TEST(Limits, are_none_where_the_rate_is_zero) {
  LimitScene scene;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(scene.limits.take_request("a", {}));
  EXPECT_TRUE(scene.limits.headers("a", {}).empty());
}

TEST(Limits, tell_what_is_left_as_openai_does) {
  LimitScene scene;
  const Rate rate{.requests = 60, .tokens = 6000};
  ASSERT_TRUE(scene.limits.take_request("a", rate));
  scene.limits.take_tokens("a", 3000);
  EXPECT_EQ(header(scene.limits, "a", rate, "x-ratelimit-limit-requests"), "60");
  EXPECT_EQ(header(scene.limits, "a", rate, "x-ratelimit-remaining-requests"), "59");
  EXPECT_EQ(header(scene.limits, "a", rate, "x-ratelimit-reset-requests"), "1s");
  EXPECT_EQ(header(scene.limits, "a", rate, "x-ratelimit-remaining-tokens"), "3000");
  EXPECT_EQ(header(scene.limits, "a", rate, "x-ratelimit-reset-tokens"), "30s");
}

TEST(Limits, write_times_as_openai_does) {
  EXPECT_EQ(reset_text(250ms), "250ms");
  EXPECT_EQ(reset_text(1200ms), "2s");
  EXPECT_EQ(reset_text(90s), "1m30s");
}

}  // namespace
}  // namespace puna::access
