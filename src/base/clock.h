// Time as a dependency, so that tests turn the hands themselves.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace puna {

using WallTime = std::chrono::system_clock::time_point;
using MonotonicTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual MonotonicTime monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return std::chrono::system_clock::now(); }
  [[nodiscard]] MonotonicTime monotonic() const override { return std::chrono::steady_clock::now(); }
};

// Stands still until advanced. Thread-safe.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] MonotonicTime monotonic() const override;
  void advance(std::chrono::milliseconds by);

 private:
  mutable std::mutex mutex_;
  std::chrono::milliseconds elapsed_{0};
};

// "2026-01-31T12:00:00.250Z" (RFC 3339, UTC).
[[nodiscard]] std::string format_time(WallTime time);
[[nodiscard]] std::optional<WallTime> parse_time(std::string_view text);  // what format_time writes
[[nodiscard]] std::int64_t unix_seconds(WallTime time);

}  // namespace puna
