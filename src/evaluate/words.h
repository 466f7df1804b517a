// What counts as a word where answers are compared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace puna::evaluate {

using Words = std::vector<std::u32string>;

// Letters and digits of any script, without regard to the user's locale.
[[nodiscard]] bool is_word_character(char32_t c);
[[nodiscard]] bool is_space(char32_t c);
[[nodiscard]] std::u32string lower(std::string_view text);
// Lower-case runs of letters and digits: for ASCII what the package rouge-score counts without its stemmer. Beyond ASCII, where that
// package sees nothing, letters of every script belong to words, and each ideograph or kana, which no blanks separate, is one.
[[nodiscard]] Words words(std::string_view text);

}  // namespace puna::evaluate
