// How much room text takes in a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace puna::cli {

// Columns: wide characters (CJK, emoji) take two, combining marks none. For one line of UTF-8 without control characters.
[[nodiscard]] std::size_t display_width(std::string_view text);
// At most `width` columns; what was cut ends in "…".
[[nodiscard]] std::string shorten(std::string_view text, std::size_t width);
// Filled up with blanks to `width` columns.
[[nodiscard]] std::string pad_right(std::string_view text, std::size_t width);
[[nodiscard]] std::string pad_left(std::string_view text, std::size_t width);
// Paragraphs (separated by empty lines) as lines of at most `width` columns, each behind `indent` blanks; a word that is longer stands
// alone.
[[nodiscard]] std::string fill(std::string_view text, std::size_t width, std::size_t indent = 0);

[[nodiscard]] std::size_t code_point_width(char32_t code_point);

}  // namespace puna::cli
