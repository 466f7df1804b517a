#include "cli/screen/width.h"

#include <clocale>
#include <cwchar>

#include "base/code_point.h"

namespace puna::cli {
namespace {

// The widths of a UTF-8 terminal, whatever locale the user has; null where the system has no such locale.
locale_t utf8_locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

void fill_paragraph(std::string_view text, std::size_t width, std::size_t indent, std::string& out) {
  std::size_t column = 0;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \n", at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const auto word = text.substr(at, end - at);
    const std::size_t room = display_width(word);
    if (column > 0 && column + 1 + room > width) {
      out += '\n';
      column = 0;
    }
    out += column == 0 ? std::string(indent, ' ') : " ";
    column += (column == 0 ? indent : 1) + room;
    out += word;
    at = end;
  }
  out += '\n';
}

}  // namespace

std::size_t code_point_width(char32_t code_point) {
  if (code_point < 0x7F) return code_point < 0x20 ? 0 : 1;
  if (!utf8_locale()) return 1;
  const locale_t before = ::uselocale(utf8_locale());
  const int width = ::wcwidth(static_cast<wchar_t>(code_point));
  ::uselocale(before);
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) width += code_point_width(next_code_point(text, at));
  return width;
}

std::string shorten(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t used = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t behind = at;
    const std::size_t room = code_point_width(next_code_point(text, behind));
    if (used + room > width - 1) break;
    used += room;
    at = behind;
  }
  return std::string(text.substr(0, at)) + "…";
}

std::string pad_right(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(used < width ? width - used : 0, ' ') + std::string(text);
}

std::string fill(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    if (!out.empty()) out += '\n';
    fill_paragraph(text.substr(at, end - at), width, indent, out);
    at = end + (end < text.size() ? 2 : 0);
  }
  return out;
}

}  // namespace puna::cli
