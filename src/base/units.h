// Quantities whose unit the type knows, and the words people use for them.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace puna {

using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

struct Bytes {
  std::uint64_t count = 0;

  constexpr Bytes() = default;
  constexpr explicit Bytes(std::uint64_t n) : count(n) {}
  constexpr auto operator<=>(const Bytes&) const = default;
  constexpr Bytes operator+(Bytes other) const { return Bytes(count + other.count); }
  constexpr Bytes& operator+=(Bytes other) {
    count += other.count;
    return *this;
  }
  // Saturates at zero.
  constexpr Bytes operator-(Bytes other) const { return Bytes(count > other.count ? count - other.count : 0); }
};
constexpr Bytes kib(std::uint64_t n) {
  return Bytes(n << 10);
}
constexpr Bytes mib(std::uint64_t n) {
  return Bytes(n << 20);
}
constexpr Bytes gib(std::uint64_t n) {
  return Bytes(n << 30);
}

// "93.8 MiB"; three significant digits, binary units.
[[nodiscard]] std::string format_bytes(Bytes bytes);
// "4096", "64k", "1.5 GiB", "250MB": k, M, G, T are binary unless written kB, MB, GB, TB.
[[nodiscard]] Result<Bytes> parse_bytes(std::string_view text);

// "350 ms", "4.2 s", "3m 20s", "2h 5m", "3d 4h".
[[nodiscard]] std::string format_duration(Milliseconds duration);
// "500ms", "5m", "1h30m", "1.5h"; a bare number means seconds. A negative value means "for ever" and yields kForever.
[[nodiscard]] Result<Milliseconds> parse_duration(std::string_view text);
inline constexpr Milliseconds kForever = Milliseconds::max();

}  // namespace puna
