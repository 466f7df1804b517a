// Where JSON values end, without building them: brackets and strings are followed, nothing else is checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dataset/byte_reader.h"

namespace puna::dataset {

struct Extent {
  std::uint64_t length = 0;
  bool closed = false;  // false: the file ended within
};
// Takes one value and, when `into` has room for it (`most` bytes), its text. A scalar ends before a comma, a bracket or white space.
[[nodiscard]] Extent read_value(ByteReader& reader, std::string& into, std::uint64_t most);
// Passes over one value; a key's text goes to `text`. False when the file ends within.
bool skip_value(ByteReader& reader, std::string* text);
// The name in a member's quotes, with its escapes resolved; empty when it is no string.
[[nodiscard]] std::string member_name(std::string_view quoted);

// The same in memory: the offset behind the value that begins at `at`, or npos.
[[nodiscard]] std::size_t value_end(std::string_view text, std::size_t at);
[[nodiscard]] std::size_t skip_space(std::string_view text, std::size_t at);

}  // namespace puna::dataset
