#include "base/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace puna {
namespace {

struct ByteUnit {
  std::string_view name;
  double size;
};
constexpr std::array kByteUnits = {
    ByteUnit{"", 1},       ByteUnit{"b", 1},        ByteUnit{"k", 0x1p10},   ByteUnit{"kib", 0x1p10}, ByteUnit{"kb", 1e3},
    ByteUnit{"m", 0x1p20}, ByteUnit{"mib", 0x1p20}, ByteUnit{"mb", 1e6},     ByteUnit{"g", 0x1p30},   ByteUnit{"gib", 0x1p30},
    ByteUnit{"gb", 1e9},   ByteUnit{"t", 0x1p40},   ByteUnit{"tib", 0x1p40}, ByteUnit{"tb", 1e12},
};

struct TimeUnit {
  std::string_view name;
  double milliseconds;
};
constexpr std::array kTimeUnits = {TimeUnit{"ms", 1}, TimeUnit{"s", 1e3}, TimeUnit{"m", 6e4}, TimeUnit{"h", 3.6e6}, TimeUnit{"d", 8.64e7}};

// Takes a decimal number from the front of `text`.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::unexpected<Error> bad_duration(std::string_view text) {
  return fail(Code::invalid_argument, fmt::format("'{}' is not a duration (write 30s, 5m, 1h30m, or -1 for ever)", printable(text)));
}

}  // namespace

std::string format_bytes(Bytes bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double amount = static_cast<double>(bytes.count);
  std::size_t unit = 0;
  while (amount >= 1023.5 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", bytes.count);
  return fmt::format("{:.{}f} {}", amount, amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0, kUnits[unit]);
}

Result<Bytes> parse_bytes(std::string_view text) {
  std::string_view rest = trim(text);
  const auto number = take_number(rest);
  if (number && *number >= 0) {
    const std::string unit = lower_ascii(trim(rest));
    for (const auto& row : kByteUnits)
      if (row.name == unit && *number * row.size < 0x1p63) return Bytes(static_cast<std::uint64_t>(std::llround(*number * row.size)));
  }
  return fail(Code::invalid_argument, fmt::format("'{}' is not a size (write 4096, 512 MiB, 4G)", printable(text)));
}

std::string format_duration(Milliseconds duration) {
  if (duration == kForever) return "for ever";
  const auto ms = duration.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  const auto seconds = ms / 1000;
  if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h {}m", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{}d {}h", seconds / 86'400, seconds % 86'400 / 3600);
}

Result<Milliseconds> parse_duration(std::string_view text) {
  std::string_view rest = trim(text);
  if (rest.empty()) return bad_duration(text);
  double total = 0;
  bool bare_number_fits = true;  // only as the whole text: "1h30" is a slip, not an hour and thirty seconds
  const bool forever = rest.front() == '-';
  if (forever) rest.remove_prefix(1);
  while (!rest.empty()) {
    const auto number = take_number(rest);
    if (!number || *number < 0) return bad_duration(text);
    const std::size_t width = std::min(rest.find_first_of("0123456789."), rest.size());
    const std::string_view unit = width == 0 ? "s" : rest.substr(0, width);
    const auto row = std::ranges::find(kTimeUnits, unit, &TimeUnit::name);
    if (row == kTimeUnits.end() || (width == 0 && !bare_number_fits)) return bad_duration(text);
    bare_number_fits = false;
    total += *number * row->milliseconds;
    rest.remove_prefix(width);
  }
  if (forever) return total > 0 ? Result<Milliseconds>(kForever) : bad_duration(text);
  if (total > 1e14) return bad_duration(text);
  return Milliseconds(std::llround(total));
}

}  // namespace puna
