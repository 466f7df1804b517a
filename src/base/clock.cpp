#include "base/clock.h"

#include <fmt/chrono.h>

#include <cstdio>
#include <ctime>

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

std::optional<WallTime> parse_time(std::string_view text) {
  std::tm parts{};
  int milliseconds = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
                  &parts.tm_min, &parts.tm_sec, &milliseconds) != 7)
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return std::chrono::system_clock::from_time_t(::timegm(&parts)) + std::chrono::milliseconds(milliseconds);
}

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace puna
