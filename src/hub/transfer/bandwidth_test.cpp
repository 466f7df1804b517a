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

class BandwidthLine : public testing::Test {
 protected:
  static SettingsStore::Sources capped(std::string cap) {
    return {.file = {}, .environment = {}, .flags = {{"transfer.bandwidth", std::move(cap)}}};
  }
  // In the order in which they passed.
  net::Task<void> passes(int who, Bytes bytes) {
    if (co_await bandwidth_.pass(bytes)) passed_.push_back(who);
  }

  net::Io io_{1};
  SettingsStore settings_{capped("10MB")};
  Bandwidth bandwidth_{settings_};
  std::vector<int> passed_;
};

TEST_F(BandwidthLine, is_served_in_its_order) {
  const auto drive = [&]() -> net::Task<void> {
    std::vector<net::Spawned> takers;
    for (int who = 0; who < 5; ++who) takers.push_back(net::spawn(io_, "taker", passes(who, Bytes(100'000))));
    for (auto& taker : takers) co_await taker.join();
  };
  net::run_blocking(io_, drive());
  EXPECT_EQ(passed_, (std::vector{0, 1, 2, 3, 4}));
}

TEST_F(BandwidthLine, goes_on_when_one_in_its_middle_or_at_its_head_leaves) {
  const auto drive = [&]() -> net::Task<void> {
    std::vector<net::Spawned> takers;
    for (int who = 0; who < 5; ++who) takers.push_back(net::spawn(io_, "taker", passes(who, Bytes(1'000'000))));
    takers[1].cancel();
    takers[3].cancel();
    for (auto& taker : takers) co_await taker.join();
  };
  net::run_blocking(io_, drive());
  EXPECT_EQ(passed_, (std::vector{0, 2, 4}));
}

}  // namespace
}  // namespace puna::hub::transfer
