#include "hub/transfer/schedule.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

#include "base/text.h"

namespace puna::hub::transfer {
namespace {

std::optional<Seconds> parse_time_of_day(std::string_view text) {
  int hours = 0;
  int minutes = 0;
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon > 2 || text.size() - colon != 3) return std::nullopt;
  const auto number = [](std::string_view digits, int& out) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return error == std::errc() && end == digits.data() + digits.size() && out >= 0;
  };
  if (!number(text.substr(0, colon), hours) || !number(text.substr(colon + 1), minutes)) return std::nullopt;
  if (hours > 24 || minutes > 59 || (hours == 24 && minutes > 0)) return std::nullopt;
  return std::chrono::hours(hours) + std::chrono::minutes(minutes);
}

Result<Allowance> parse_allowance(std::string_view text) {
  if (equal_ignoring_case(text, "pause")) return Allowance{.per_second = {}, .paused = true};
  if (lower_ascii(text).ends_with("/s")) text.remove_suffix(2);
  PUNA_TRY(const auto bytes, parse_bytes(text));
  return Allowance{.per_second = bytes == Bytes(0) ? std::nullopt : std::optional(bytes)};
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view text) {
  Schedule out;
  for (const auto word : split(text, ' ')) {
    const auto entry = trim(word);
    if (entry.empty()) continue;
    const auto refuse = [&](std::string_view why) {
      return fail(Code::invalid_argument, fmt::format("'{}' is no entry of a bandwidth schedule{}: such as 22:00-06:00=0 08:00-18:00=2MB "
                                                      "12:00-13:00=pause",
                                                      printable(entry), why));
    };
    const auto equals = entry.find('=');
    const auto dash = entry.find('-');
    if (equals == std::string_view::npos || dash == std::string_view::npos || dash > equals) return refuse("");
    const auto from = parse_time_of_day(entry.substr(0, dash));
    const auto to = parse_time_of_day(entry.substr(dash + 1, equals - dash - 1));
    if (!from || !to) return refuse(" (a time is HH:MM)");
    const auto allowance = parse_allowance(entry.substr(equals + 1));
    if (!allowance) return refuse(" (a rate is bytes a second, 0 or pause)");
    out.entries_.push_back({*from, *to, *allowance});
  }
  return out;
}

std::optional<Allowance> Schedule::at(Seconds time) const {
  for (const auto& [from, to, allowance] : entries_) {
    const bool covers = from < to ? time >= from && time < to : time >= from || time < to;
    if (covers) return allowance;
  }
  return std::nullopt;
}

Seconds local_time_of_day(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return std::chrono::hours(local.tm_hour) + std::chrono::minutes(local.tm_min) + Seconds(local.tm_sec);
}

}  // namespace puna::hub::transfer
