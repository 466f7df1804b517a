#include "net/retry.h"

#include <gtest/gtest.h>

namespace puna::net {
namespace {

using namespace std::chrono_literals;

// ledger: T5
TEST(RetryPolicy, grows_its_waits_by_the_factor_up_to_the_cap) {
  const RetryPolicy policy{.attempts = 6, .base = 100ms, .factor = 3, .cap = 1s, .jitter = false};
  EXPECT_EQ(policy.delay(1, 0.5), 100ms);
  EXPECT_EQ(policy.delay(2, 0.5), 300ms);
  EXPECT_EQ(policy.delay(3, 0.5), 900ms);
  EXPECT_EQ(policy.delay(4, 0.5), 1s);
  EXPECT_EQ(policy.delay(5000, 0.5), 1s);
}

// ledger: T5
TEST(RetryPolicy, waits_any_part_of_the_longest_wait_when_it_jitters) {
  const RetryPolicy policy{.attempts = 3, .base = 100ms, .factor = 2, .cap = 1s};
  EXPECT_EQ(policy.delay(2, 0), 0ms);
  EXPECT_EQ(policy.delay(2, 0.25), 50ms);
  EXPECT_LT(policy.delay(2, 0.999), 200ms);
}

// ledger: T5
TEST(RetryPolicy, tells_passing_statuses_from_permanent_ones) {
  for (int status : {408, 425, 429, 500, 502, 503, 504, 507}) EXPECT_TRUE(is_retryable_status(status)) << status;
  for (int status : {200, 301, 400, 401, 403, 404, 409, 410, 416, 422, 501, 505}) EXPECT_FALSE(is_retryable_status(status)) << status;
  EXPECT_TRUE(is_untouched_status(429));
  EXPECT_FALSE(is_untouched_status(503));
}

TEST(RetryAfter, is_a_number_of_seconds_or_a_date) {
  const auto now = *parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_retry_after(" 120 ", now), 120s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now), 30s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), 0s);
  EXPECT_EQ(parse_retry_after("-1", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("soon", now), std::nullopt);
}

TEST(HttpDate, reads_what_it_writes_and_refuses_days_that_do_not_exist) {
  const std::string_view text = "Thu, 29 Feb 2024 23:59:59 GMT";
  EXPECT_EQ(format_http_date(*parse_http_date(text)), text);
  EXPECT_FALSE(parse_http_date("Fri, 30 Feb 2024 23:59:59 GMT"));
  EXPECT_FALSE(parse_http_date("Thu, 29 Feb 2024 24:59:59 GMT"));
  EXPECT_FALSE(parse_http_date("Thursday, 29-Feb-24 23:59:59 GMT"));
}

}  // namespace
}  // namespace puna::net
