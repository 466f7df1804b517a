// Text that people typed or will read.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace puna {

[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] std::string lower_ascii(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);

[[nodiscard]] bool is_utf8(std::string_view bytes);
// The length of the longest prefix that does not end inside a character: what may be printed of a stream.
[[nodiscard]] std::size_t utf8_complete_prefix(std::string_view bytes);
// Control characters (terminal escapes among them) and bytes that are not UTF-8 replaced, so that foreign text cannot move the cursor
// and can stand in JSON.
[[nodiscard]] std::string printable(std::string_view text);

// Edit distance with transpositions of neighbours (optimal string alignment).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
// At most three of `known` that `typed` may have meant, nearest first; empty when nothing is near.
[[nodiscard]] std::vector<std::string> nearest(std::string_view typed, std::span<const std::string_view> known);
[[nodiscard]] std::vector<std::string> nearest(std::string_view typed, std::span<const std::string> known);

}  // namespace puna
