#include "base/text.h"

#include <algorithm>
#include <ranges>

namespace puna {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// How many bytes the character that starts here takes; 0 when no character can start with this byte.
std::size_t utf8_width(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// Surrogates, overlong forms and values beyond U+10FFFF show in the second byte.
bool second_byte_fits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return second >= 0x80 && second <= 0xBF;
  }
}

// The length of the valid character that `bytes`, which are not empty, begin with; 0 when they do not begin with one.
std::size_t utf8_character(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const std::size_t width = utf8_width(lead);
  if (width == 0 || width > bytes.size()) return 0;
  if (width > 1 && !second_byte_fits(lead, static_cast<unsigned char>(bytes[1]))) return 0;
  for (std::size_t k = 2; k < width; ++k)
    if ((static_cast<unsigned char>(bytes[k]) & 0xC0) != 0x80) return 0;
  return width;
}

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  for (std::size_t end; (end = text.find(separator, start)) != std::string_view::npos; start = end + 1)
    parts.push_back(text.substr(start, end - start));
  parts.push_back(text.substr(start));
  return parts;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::size_t utf8_complete_prefix(std::string_view bytes) {
  const std::size_t size = bytes.size();
  for (std::size_t back = 1; back <= 3 && back <= size; ++back) {
    const auto byte = static_cast<unsigned char>(bytes[size - back]);
    if ((byte & 0xC0) == 0x80) continue;
    return utf8_width(byte) > back ? size - back : size;
  }
  return size;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t width = utf8_character(bytes);
    if (width == 0) return false;
    bytes.remove_prefix(width);
  }
  return true;
}

std::string printable(std::string_view text) {
  constexpr std::string_view kReplacement = "\uFFFD";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t width = utf8_character(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(width, 1));
    text.remove_prefix(character.size());
    const auto lead = static_cast<unsigned char>(character[0]);
    const bool c1_control = lead == 0xC2 && width == 2 && static_cast<unsigned char>(character[1]) < 0xA0;
    if (lead == '\r') continue;
    const bool control = (lead < 0x20 && lead != '\n' && lead != '\t') || lead == 0x7F || c1_control;
    out += width == 0 || control ? kReplacement : character;
  }
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last, last(b.size() + 1), current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({change, last[j] + 1, current[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
    before_last = last;
    std::swap(last, current);
  }
  return last[b.size()];
}

std::vector<std::string> nearest(std::string_view typed, std::span<const std::string_view> known) {
  constexpr std::size_t kMost = 3, kLongest = 256;
  if (typed.empty() || typed.size() > kLongest) return {};
  const std::string wanted = lower_ascii(typed);
  const std::size_t limit = std::max<std::size_t>(1, typed.size() / 3);
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const auto candidate : known) {
    if (candidate.size() > kLongest) continue;
    const std::string name = lower_ascii(candidate);
    const bool contains = wanted.size() >= 3 && (name.contains(wanted) || (name.size() >= 3 && wanted.contains(name)));
    const std::size_t distance = edit_distance(wanted, name);
    if (contains || distance <= limit) found.emplace_back(contains ? std::min(distance, limit) : distance, std::string(candidate));
  }
  std::ranges::sort(found);
  std::vector<std::string> out;
  for (auto& [distance, name] : found | std::views::take(kMost)) out.push_back(std::move(name));
  return out;
}

std::vector<std::string> nearest(std::string_view typed, std::span<const std::string> known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  return nearest(typed, std::span<const std::string_view>(views));
}

}  // namespace puna
