#include "jobs/retry.h"

#include <gtest/gtest.h>

namespace puna::jobs {
namespace {

using namespace std::chrono_literals;

const RetryPolicy kPolicy{.attempts = 5, .base = 100ms, .cap = 1s, .factor = 3};
const Error kPassing{Code::unavailable, "connection refused"};

// ledger: T5
TEST(Retry, waits_grow_by_the_factor_up_to_the_cap) {
  EXPECT_EQ(retry_delay(kPolicy, kPassing, 1, 1.0), 100ms);
  EXPECT_EQ(retry_delay(kPolicy, kPassing, 2, 1.0), 300ms);
  EXPECT_EQ(retry_delay(kPolicy, kPassing, 3, 1.0), 900ms);
  EXPECT_EQ(retry_delay(kPolicy, kPassing, 4, 1.0), 1s);
}

TEST(Retry, the_wait_is_a_random_part_of_its_bound) {
  EXPECT_EQ(retry_delay(kPolicy, kPassing, 2, 0.5), 150ms);
  EXPECT_EQ(retry_delay(kPolicy, kPassing, 2, 0.0), 0ms);
}

TEST(Retry, ends_after_the_allowed_attempts) {
  EXPECT_FALSE(retry_delay(kPolicy, kPassing, 5, 1.0));
  EXPECT_FALSE(retry_delay({}, kPassing, 1, 1.0));
}

TEST(Retry, failures_that_last_are_not_tried_again) {
  for (const auto code : {Code::not_found, Code::disk_full, Code::corrupt_data, Code::cancelled, Code::internal})
    EXPECT_FALSE(retry_delay(kPolicy, {code, ""}, 1, 1.0)) << to_string(code);
}

TEST(Retry, obeys_the_wait_that_the_other_side_asked_for) {
  Error busy{Code::overloaded, "too many requests"};
  busy.retry_after = 7s;
  EXPECT_EQ(retry_delay(kPolicy, busy, 1, 0.5), 7s);
}

}  // namespace
}  // namespace puna::jobs
