#include "hub/transfer/patience.h"

#include <gtest/gtest.h>

namespace puna::hub::transfer {
namespace {

constexpr MonotonicTime kNow{std::chrono::hours(1)};
const net::RetryPolicy kThree{.attempts = 3, .base = Milliseconds(100), .factor = 2, .cap = Milliseconds(1000), .jitter = false};

TEST(Patience, waits_longer_after_each_failure_and_gives_up_in_the_end) {
  Patience patience;
  EXPECT_EQ(patience.failed(patience.wave(), kThree, {}, 0, kNow).delay, Milliseconds(100));
  EXPECT_EQ(patience.not_before(), kNow + Milliseconds(100));
  EXPECT_EQ(patience.failed(patience.wave(), kThree, {}, 0, kNow).delay, Milliseconds(200));
  EXPECT_TRUE(patience.failed(patience.wave(), kThree, {}, 0, kNow).give_up);
}

// ledger: T5
TEST(Patience, forgets_failures_when_bytes_come) {
  Patience patience;
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(patience.failed(patience.wave(), kThree, {}, 0, kNow).give_up);
    patience.progressed();
  }
}

TEST(Patience, connections_that_break_together_are_one_failure) {
  Patience patience;
  const auto wave = patience.wave();
  EXPECT_TRUE(patience.failed(wave, kThree, {}, 0, kNow).counted);
  for (int i = 0; i < 15; ++i) EXPECT_FALSE(patience.failed(wave, kThree, {}, 0, kNow).counted);
  EXPECT_EQ(patience.failures(), 1);
}

TEST(Patience, obeys_the_server_and_gives_up_when_it_asks_for_too_much) {
  Patience patience;
  EXPECT_EQ(patience.failed(0, kThree, Seconds(9), 0, kNow).delay, Seconds(9));
  EXPECT_TRUE(patience.failed(1, kThree, std::chrono::hours(1), 0, kNow).give_up);
}

}  // namespace
}  // namespace puna::hub::transfer
