#include "cli/screen/time_text.h"

#include <array>

#include "base/text.h"

namespace puna::cli {
namespace {

using std::chrono::seconds;

struct Span {
  seconds length;
  std::string_view name;
};
constexpr std::array kSpans = {Span{seconds(365 * 86'400), "year"}, Span{seconds(30 * 86'400), "month"}, Span{seconds(7 * 86'400), "week"},
                               Span{seconds(86'400), "day"},        Span{seconds(3'600), "hour"},        Span{seconds(60), "minute"},
                               Span{seconds(1), "second"}};

// "3 weeks"; empty for less than a second.
std::string amount(seconds length) {
  for (const auto& span : kSpans) {
    const auto count = length / span.length;
    if (count > 0) return fmt::format("{} {}{}", count, span.name, count == 1 ? "" : "s");
  }
  return {};
}

}  // namespace

std::string time_ago(std::string_view time, WallTime now) {
  const auto then = parse_time(time);
  if (!then) return printable(time);
  const std::string text = amount(std::chrono::duration_cast<seconds>(now - *then));
  return text.empty() ? "just now" : text + " ago";
}

std::string time_ahead(std::string_view time, WallTime now) {
  const auto then = parse_time(time);
  if (!then) return printable(time);
  const std::string text = amount(std::chrono::ceil<seconds>(*then - now));
  return text.empty() ? "now" : text + " from now";
}

}  // namespace puna::cli
