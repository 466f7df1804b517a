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

// In the line, from its making to its end; whoever becomes the first is told.
class Bandwidth::Place {
 public:
  Place(std::deque<const Place*>& line, const net::asio::any_io_executor& executor) : line_(line), turn_(executor) {
    line_.push_back(this);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    const bool first = is_first();
    std::erase(line_, this);
    if (first && !line_.empty()) line_.front()->turn_.wake();
  }
  [[nodiscard]] bool is_first() const { return line_.front() == this; }
  [[nodiscard]] net::Task<Result<>> wait_for_turn() const {
    if (!net::is_cancelled(co_await net::asio::this_coro::cancellation_state)) co_await turn_.wait();
    if (net::is_cancelled(co_await net::asio::this_coro::cancellation_state)) co_return fail(Code::cancelled, "the transfer ends");
    co_return Result<>();
  }

 private:
  std::deque<const Place*>& line_;
  mutable net::Wakeup turn_;
};

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
  received_ += bytes.count;
  look_up(std::chrono::steady_clock::now());
  if (!allowance_.per_second && !allowance_.paused && line_.empty()) co_return Result<>();
  const Place me(line_, co_await net::asio::this_coro::executor);
  while (true) {
    if (!me.is_first()) {
      PUNA_CO_CHECK(co_await me.wait_for_turn());
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    look_up(now);
    if (allowance_.paused) co_return fail(Code::unavailable, "the schedule pauses transfers");
    const auto wait = bucket_.wait(now);
    if (wait == Milliseconds(0)) break;
    PUNA_CO_CHECK(co_await net::sleep_for(std::min(wait, kLookUp)));
  }
  bucket_.take(bytes);
  co_return Result<>();
}

}  // namespace puna::hub::transfer
