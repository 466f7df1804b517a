#include "hub/transfer/bandwidth.h"

#include <algorithm>

#include "base/log.h"
#include "base/settings_registry.h"

namespace puna::hub::transfer {
namespace {

constexpr Milliseconds kLookUp{50};
constexpr double kBurstSeconds = 0.25;  // what may be saved up

}  // namespace

void TokenBucket::fill(MonotonicTime now) {
  const double seconds = std::chrono::duration<double>(now - filled_at_).count();
  filled_at_ = now;
  if (!rate_) return;
  const auto rate = static_cast<double>(rate_->count);
  tokens_ = std::min(tokens_ + seconds * rate, rate * kBurstSeconds);
}

void TokenBucket::set_rate(std::optional<Bytes> per_second, MonotonicTime now) {
  if (rate_ == per_second) return;
  fill(now);
  // A debt made under a higher rate would otherwise stop everything for long under a lower one.
  if (!rate_ || !per_second) tokens_ = 0;
  if (per_second) tokens_ = std::max(tokens_, -static_cast<double>(per_second->count));
  rate_ = per_second;
}

Milliseconds TokenBucket::wait(MonotonicTime now) {
  fill(now);
  if (!rate_ || tokens_ >= 0) return Milliseconds(0);
  return Milliseconds(1 + static_cast<std::int64_t>(-tokens_ * 1000 / static_cast<double>(rate_->count)));
}

Bandwidth::Bandwidth(const SettingsStore& settings) : settings_(settings), bucket_(std::chrono::steady_clock::now()) {}

Allowance Bandwidth::allowance() {
  look_up(std::chrono::steady_clock::now());
  return allowance_;
}

void Bandwidth::look_up(MonotonicTime now) {
  if (read_ && now - looked_up_at_ < kLookUp) return;
  looked_up_at_ = now;
  auto settings = settings_.snapshot();
  if (settings != read_) {
    read_ = std::move(settings);
    if (auto parsed = Schedule::parse(read_->get(setting::kTransferSchedule)))
      schedule_ = std::move(*parsed);
    else
      log::warning("hub", "the bandwidth schedule is left as it was", {{"error", parsed.error().text()}});
  }
  const Bytes cap = read_->get(setting::kTransferBandwidth);
  const Allowance always{.per_second = cap == Bytes(0) ? std::nullopt : std::optional(cap)};
  allowance_ = schedule_.at(local_time_of_day(std::chrono::system_clock::now())).value_or(always);
  bucket_.set_rate(allowance_.per_second, now);
}

net::Task<Result<>> Bandwidth::pass(Bytes bytes) {
  const auto me = &bytes;  // this coroutine's own
  look_up(std::chrono::steady_clock::now());
  if (!allowance_.per_second && !allowance_.paused && line_.empty()) co_return Result<>();
  line_.push_back(me);
  Result<> out;
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    look_up(now);
    if (allowance_.paused) {
      out = fail(Code::unavailable, "the schedule pauses transfers");
      break;
    }
    const bool first = line_.front() == me;
    const auto wait = bucket_.wait(now);
    if (first && wait == Milliseconds(0)) {
      bucket_.take(bytes);
      break;
    }
    if (out = co_await net::sleep_for(first ? std::min(wait, kLookUp) : std::min(kLookUp, Milliseconds(5))); !out) break;
  }
  std::erase(line_, me);
  co_return out;
}

}  // namespace puna::hub::transfer
