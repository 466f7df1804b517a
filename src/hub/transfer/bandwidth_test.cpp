#include "hub/transfer/bandwidth.h"

#include <gtest/gtest.h>

namespace puna::hub::transfer {
namespace {

constexpr MonotonicTime kStart{};

TEST(TokenBucket, lets_everything_pass_without_a_rate) {
  TokenBucket bucket(kStart);
  bucket.take(gib(5));
  EXPECT_EQ(bucket.wait(kStart), Milliseconds(0));
}

TEST(TokenBucket, keeps_the_rate_over_time) {
  TokenBucket bucket(kStart);
  bucket.set_rate(Bytes(1'000'000), kStart);
  MonotonicTime now = kStart;
  std::uint64_t taken = 0;
  while (now < kStart + Seconds(60)) {
    if (bucket.wait(now) == Milliseconds(0)) {
      bucket.take(Bytes(300'000));
      taken += 300'000;
    }
    now += Milliseconds(1);
  }
  EXPECT_NEAR(static_cast<double>(taken), 60e6, 0.6e6);
}

TEST(TokenBucket, a_pause_saves_up_only_a_moment) {
  TokenBucket bucket(kStart);
  bucket.set_rate(Bytes(1'000'000), kStart);
  const auto later = kStart + std::chrono::hours(1);
  ASSERT_EQ(bucket.wait(later), Milliseconds(0));
  bucket.take(Bytes(1'250'000));
  EXPECT_NEAR(static_cast<double>(bucket.wait(later).count()), 1000, 5);
}

TEST(TokenBucket, a_debt_never_lasts_longer_than_a_second_under_a_new_rate) {
  TokenBucket bucket(kStart);
  bucket.set_rate(Bytes(100'000'000), kStart);
  bucket.take(Bytes(50'000'000));
  bucket.set_rate(Bytes(1000), kStart);
  EXPECT_LE(bucket.wait(kStart), Milliseconds(1001));
  bucket.set_rate(std::nullopt, kStart);
  EXPECT_EQ(bucket.wait(kStart), Milliseconds(0));
}

}  // namespace
}  // namespace puna::hub::transfer
