// Labels with explanations beside them, as help prints them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace puna::cli {

struct Entry {
  std::string label;
  std::string text;
};

// Texts begin in one column; below a label that is too long, and below all of them where a terminal of `width` columns has no room beside.
[[nodiscard]] std::string list_entries(const std::vector<Entry>& entries, std::size_t width);

}  // namespace puna::cli
