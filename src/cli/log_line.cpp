#include "cli/log_line.h"

#include <array>
#include <ctime>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

namespace puna::cli {
namespace {

std::string text_of(const json::object& line, std::string_view name) {
  const auto* found = line.if_contains(name);
  return found && found->is_string() ? std::string(std::string_view(found->get_string())) : std::string();
}

std::string local_time(const std::string& text) {
  const auto time = parse_time(text);
  if (!time) return text;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(*time);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                     parts.tm_min, parts.tm_sec);
}

Tone tone_of(std::string_view level) {
  if (level == "error") return Tone::bad;
  if (level == "warning") return Tone::warning;
  return Tone::plain;
}

bool is_head(std::string_view name) {
  constexpr std::array<std::string_view, 4> kHead = {"time", "level", "component", "message"};
  return std::ranges::find(kHead, name) != kHead.end();
}

}  // namespace

std::string readable_log_line(std::string_view line, const Stream& stream) {
  const auto parsed = json::parse_object(line);
  if (!parsed || !parsed->contains("level") || !parsed->contains("message")) return printable(line);
  const std::string level = text_of(*parsed, "level");
  std::string out = stream.paint(Tone::dim, local_time(text_of(*parsed, "time")));
  out += "  " + stream.paint(tone_of(level), fmt::format("{:7}", level));
  out += fmt::format("  {:8}  {}", printable(text_of(*parsed, "component")), printable(text_of(*parsed, "message")));
  for (const auto& field : *parsed) {
    if (is_head(field.key())) continue;
    const std::string value =
        field.value().is_string() ? std::string(std::string_view(field.value().get_string())) : json::to_text(field.value());
    out += "  " + stream.paint(Tone::dim, printable(fmt::format("{}={}", std::string_view(field.key()), value)));
  }
  return out;
}

}  // namespace puna::cli
