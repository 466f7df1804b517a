// When to try again, and after how long.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/units.h"

namespace puna::net {

// The waits grow as base, base*factor, base*factor², … up to cap; with jitter each is a random part of that ("full jitter").
struct RetryPolicy {
  int attempts = 1;  // tries in all; 1 never repeats
  Milliseconds base{500};
  double factor = 2;
  Milliseconds cap{30'000};
  bool jitter = true;
  Milliseconds longest_retry_after{120'000};  // a server that asks for a longer wait is not waited for

  [[nodiscard]] static RetryPolicy never() { return {}; }
  // The wait after the given failed attempt (from 1); `unit` is a random number in [0, 1).
  [[nodiscard]] Milliseconds delay(int failed_attempt, double unit) const;
};

// Whether the status asks for another try: 408, 425, 429 and 5xx except 501 and 505.
[[nodiscard]] bool is_retryable_status(int status);
// Whether the status says that the request was not acted on, so that even one that changes state may be repeated: 408, 425, 429.
[[nodiscard]] bool is_untouched_status(int status);
// Retry-After: a number of seconds or an HTTP date.
[[nodiscard]] std::optional<Milliseconds> parse_retry_after(std::string_view value, WallTime now);
// "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string format_http_date(WallTime time);
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace puna::net
