// ROUGE: overlap of words with a reference. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004.
#pragma once

#include <cstddef>

#include "evaluate/words.h"

namespace puna::evaluate {

// From 0 to 1. Precision is the share of the answer that the reference has, recall the share of the reference that the answer has.
struct Overlap {
  double precision = 0;
  double recall = 0;
  double f1 = 0;  // their harmonic mean
};
// Of `common` things among `answered` and `wanted` ones; zeros where one of them has none.
[[nodiscard]] Overlap overlap(std::size_t common, std::size_t answered, std::size_t wanted);

// ROUGE-N: runs of n words, each counted as often as both texts have it.
[[nodiscard]] Overlap rouge_n(const Words& answer, const Words& reference, std::size_t n);
// ROUGE-L: the longest common subsequence of words, of the texts as wholes (not line by line, which is ROUGE-Lsum).
[[nodiscard]] Overlap rouge_l(const Words& answer, const Words& reference);

}  // namespace puna::evaluate
