#include "base/clock.h"

#include <fmt/chrono.h>

namespace puna {

WallTime ManualClock::wall() const {
  std::scoped_lock lock(mutex_);
  return WallTime(std::chrono::hours(24 * 365 * 50)) + elapsed_;
}

MonotonicTime ManualClock::monotonic() const {
  std::scoped_lock lock(mutex_);
  return MonotonicTime(std::chrono::hours(1)) + elapsed_;
}

void ManualClock::advance(std::chrono::milliseconds by) {
  std::scoped_lock lock(mutex_);
  elapsed_ += by;
}

std::string format_time(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(whole)), milliseconds);
}

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace puna
