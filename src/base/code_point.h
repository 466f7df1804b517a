// Text character by character.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace puna {

// The code point that starts at `at`, which moves behind it; U+FFFD for a byte that starts none.
[[nodiscard]] char32_t next_code_point(std::string_view text, std::size_t& at);
[[nodiscard]] std::u32string code_points(std::string_view text);

}  // namespace puna
