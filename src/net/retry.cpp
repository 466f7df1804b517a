#include "net/retry.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/text.h"

namespace puna::net {

Milliseconds RetryPolicy::delay(int failed_attempt, double unit) const {
  const double longest =
      std::min(static_cast<double>(base.count()) * std::pow(factor, failed_attempt - 1), static_cast<double>(cap.count()));
  return Milliseconds(static_cast<std::int64_t>(jitter ? longest * unit : longest));
}

bool is_retryable_status(int status) {
  return is_untouched_status(status) || (status >= 500 && status <= 599 && status != 501 && status != 505);
}

bool is_untouched_status(int status) {
  return status == 408 || status == 425 || status == 429;
}

std::optional<Milliseconds> parse_retry_after(std::string_view value, WallTime now) {
  value = trim(value);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc() && end == value.data() + value.size() && seconds >= 0 && seconds < 1'000'000'000) return Seconds(seconds);
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  return std::max(std::chrono::ceil<Milliseconds>(*date - now), Milliseconds(0));
}

namespace {
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
}  // namespace

std::string format_http_date(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<Seconds>(time - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()], unsigned(date.day()),
                     kMonths[unsigned(date.month()) - 1], int(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

// The preferred form of RFC 9110, section 5.6.7; the two obsolete ones are not read.
std::optional<WallTime> parse_http_date(std::string_view text) {
  text = trim(text);
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
  auto number = [&](std::size_t from, std::size_t length) {
    int value = -1;
    const auto part = text.substr(from, length);
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc() && end == part.data() + part.size() ? value : -1;
  };
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const int day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
  if (month == kMonths.end() || day < 1 || year < 1970 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
    return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) + Seconds(second);
}

}  // namespace puna::net
