#include "os/safe_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "base/text.h"

namespace puna::os {
namespace {

constexpr std::size_t kMaxName = 255;   // bytes: NAME_MAX
constexpr std::size_t kMaxPath = 3072;  // bytes: leaves PATH_MAX room for the root

// Device names that Windows (and its network shares) opens instead of a file, with any extension.
bool is_device_name(std::string_view name) {
  constexpr std::array<std::string_view, 6> kDevices = {"con", "prn", "aux", "nul", "conin$", "conout$"};
  const std::string stem = lower_ascii(trim(name.substr(0, name.find('.'))));
  if (std::ranges::find(kDevices, stem) != kDevices.end()) return true;
  return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem[3] >= '0' && stem[3] <= '9';
}

// Characters that look like '/', '\' or dots, or that turn text around: a name must be what it looks like.
bool is_deceptive(char32_t c) {
  constexpr std::array<char32_t, 10> kLookalikes = {0x2024, 0x2025, 0x2026, 0x2044, 0x2215, 0x2216, 0x29F8, 0xFF0E, 0xFF0F, 0xFF3C};
  if (std::ranges::find(kLookalikes, c) != kLookalikes.end()) return true;
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0x80 && c <= 0x9F);
}

// The next character of valid UTF-8.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<std::uint8_t>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t c = length == 1 ? first : first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) c = (c << 6) | (static_cast<std::uint8_t>(text[i]) & 0x3Fu);
  text.remove_prefix(length);
  return c;
}

std::optional<char> percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
  };
  if (text.size() < 3 || text[0] != '%' || digit(text[1]) < 0 || digit(text[2]) < 0) return std::nullopt;
  return static_cast<char>(digit(text[1]) * 16 + digit(text[2]));
}

// Whether somebody who decodes "%2e%2e%2f" once or several times would see a separator, a NUL or "..".
bool hides_a_path(std::string_view name) {
  std::string current(name);
  for (int round = 0; round < 3; ++round) {
    std::string decoded;
    for (std::size_t i = 0; i < current.size(); ++i) {
      const auto c = percent_decoded(std::string_view(current).substr(i));
      decoded += c.value_or(current[i]);
      if (c) i += 2;
    }
    if (decoded == "." || decoded == ".." || decoded.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) return true;
    if (decoded == current) return false;
    current = std::move(decoded);
  }
  return true;
}

std::string_view fault_of(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name == "." || name == "..") return "it is a step to another folder";
  if (name.size() > kMaxName) return "it is longer than 255 bytes";
  if (name.find('/') != std::string_view::npos || name.find('\\') != std::string_view::npos) return "it contains a separator";
  if (!is_utf8(name)) return "it is not valid UTF-8";
  for (const char c : name)
    if (static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F) return "it contains a control character";
  for (std::string_view rest = name; !rest.empty();)
    if (is_deceptive(take_character(rest))) return "it contains a character that is invisible or looks like another";
  if (name.find_first_of(":*?\"<>|") != std::string_view::npos) return "it contains one of : * ? \" < > |";
  if (name.front() == ' ' || name.back() == ' ' || name.back() == '.') return "it begins with a space, or ends with a space or a dot";
  if (is_device_name(name)) return "it is a device's name on some systems";
  if (hides_a_path(name)) return "it hides a path in percent encoding";
  return {};
}

// At most `limit` bytes, on one line and harmless to print.
std::string shown(std::string_view text, std::size_t limit) {
  std::string out = printable(text.substr(0, limit));
  std::ranges::replace_if(out, [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return out;
}

Error refused(std::string_view path, std::string_view why) {
  return Error(Code::invalid_argument, fmt::format("the path '{}' is refused: {}", shown(path, 200), why));
}

bool is_within(const std::filesystem::path& root, const std::filesystem::path& path) {
  return std::ranges::mismatch(root, path).in1 == root.end();
}

}  // namespace

Result<> check_file_name(std::string_view name) {
  if (const auto fault = fault_of(name); !fault.empty())
    return fail(Code::invalid_argument, fmt::format("the name '{}' is refused: {}", shown(name, 200), fault));
  return {};
}

Result<std::filesystem::path> resolve_below(const std::filesystem::path& root, std::string_view relative) {
  if (relative.empty()) return fail(refused(relative, "it is empty"));
  if (relative.size() > kMaxPath) return fail(refused(relative, "it is too long"));
  if (relative.front() == '/') return fail(refused(relative, "it is absolute"));

  std::error_code error;
  const std::filesystem::path base = std::filesystem::canonical(root, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot find the folder {}", root.string())));

  std::filesystem::path path = base;
  for (const std::string_view part : split(relative, '/')) {
    if (const auto fault = fault_of(part); !fault.empty())
      return fail(refused(relative, fmt::format("in '{}', {}", shown(part, 80), fault)));
    path /= part;
    const auto status = std::filesystem::symlink_status(path, error);
    if (status.type() != std::filesystem::file_type::symlink) continue;
    // A link whose end does not exist could be made to point anywhere later, so it is refused as well.
    path = std::filesystem::canonical(path, error);
    if (error || !is_within(base, path)) return fail(refused(relative, "a symbolic link leads out of its folder"));
  }
  return path;
}

}  // namespace puna::os
