// Which rows are for evaluation, which are doubles of others.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace puna::dataset {

// What is known of a row without its text.
struct RowKey {
  std::uint64_t row = 0;     // row_hash()
  std::uint64_t prompt = 0;  // prompt_hash()
};

struct Split {
  std::vector<bool> evaluation;  // one for each row
  std::string description;
};
// About `fraction` of the rows, by the hash of seed and prompt: a row stays on its side when others are added or removed, and rows with
// the same prompt are on one side. Where one prompt makes up a tenth of the rows, the whole row is hashed instead. At least one row on
// each side, when there are two that differ.
[[nodiscard]] Split split_rows(std::span<const RowKey> rows, double fraction, std::uint64_t seed);

// For each row that has an earlier one with the same key: (it, the first such).
struct Pair {
  std::size_t later = 0;
  std::size_t earlier = 0;
};
[[nodiscard]] std::vector<Pair> doubles(std::span<const std::uint64_t> keys);

}  // namespace puna::dataset
