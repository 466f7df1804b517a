// One cap over all connections of all transfers.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "base/clock.h"
#include "base/settings.h"
#include "hub/transfer/schedule.h"
#include "net/io.h"

namespace puna::hub::transfer {

// Tokens that grow with time. A taker may overdraw; whoever comes next waits until the debt is paid. Pure.
class TokenBucket {
 public:
  explicit TokenBucket(MonotonicTime now) : filled_at_(now) {}

  void set_rate(std::optional<Bytes> per_second, MonotonicTime now);
  // How long until the next taker may take; zero when it may now.
  [[nodiscard]] Milliseconds wait(MonotonicTime now);
  void take(Bytes bytes) { tokens_ -= static_cast<double>(bytes.count); }

 private:
  void fill(MonotonicTime now);

  std::optional<Bytes> rate_;
  double tokens_ = 0;
  MonotonicTime filled_at_;
};

// What the settings transfer.bandwidth and transfer.schedule allow at the moment. Network thread.
class Bandwidth {
 public:
  explicit Bandwidth(const SettingsStore& settings);

  [[nodiscard]] Allowance allowance();
  // Returns when these bytes, which have come already, may be followed by more, first come first served; a changed setting applies within
  // 50 ms. Code::unavailable while the schedule pauses transfers.
  [[nodiscard]] net::Task<Result<>> pass(Bytes bytes);
  // Bytes that have come, whatever became of them. From any thread.
  [[nodiscard]] Bytes received() const { return Bytes(received_.load()); }

 private:
  class Place;
  void look_up(MonotonicTime now);

  const SettingsStore& settings_;
  std::atomic<std::uint64_t> received_ = 0;
  Allowance allowance_;
  std::shared_ptr<const Settings> read_;  // what the schedule was parsed from
  Schedule schedule_;
  MonotonicTime looked_up_at_{};
  TokenBucket bucket_;
  std::deque<const Place*> line_;  // who waits, in order
};

}  // namespace puna::hub::transfer
