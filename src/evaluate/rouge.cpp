#include "evaluate/rouge.h"

#include <algorithm>
#include <map>
#include <span>

namespace puna::evaluate {
namespace {

using Gram = std::span<const std::u32string>;
struct ByWords {
  bool operator()(Gram a, Gram b) const { return std::ranges::lexicographical_compare(a, b); }
};

std::size_t gram_count(const Words& words, std::size_t n) {
  return words.size() < n ? 0 : words.size() - n + 1;
}

std::map<Gram, std::size_t, ByWords> grams(const Words& words, std::size_t n) {
  std::map<Gram, std::size_t, ByWords> out;
  for (std::size_t i = 0; i < gram_count(words, n); ++i) ++out[Gram(words).subspan(i, n)];
  return out;
}

std::size_t longest_common_subsequence(const Words& a, const Words& b) {
  std::vector<std::size_t> row(b.size() + 1);  // of the beginnings of `a` so far with each beginning of `b`
  for (const auto& word : a) {
    std::size_t diagonal = 0;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = word == b[j - 1] ? diagonal + 1 : std::max(row[j - 1], above);
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

Overlap overlap(std::size_t common, std::size_t answered, std::size_t wanted) {
  if (common == 0 || answered == 0 || wanted == 0) return {};
  const double precision = static_cast<double>(common) / static_cast<double>(answered);
  const double recall = static_cast<double>(common) / static_cast<double>(wanted);
  return {precision, recall, 2 * precision * recall / (precision + recall)};
}

Overlap rouge_n(const Words& answer, const Words& reference, std::size_t n) {
  const auto wanted = grams(reference, n);
  std::size_t common = 0;
  for (const auto& [gram, count] : grams(answer, n))
    if (const auto found = wanted.find(gram); found != wanted.end()) common += std::min(count, found->second);
  return overlap(common, gram_count(answer, n), gram_count(reference, n));
}

Overlap rouge_l(const Words& answer, const Words& reference) {
  return overlap(longest_common_subsequence(answer, reference), answer.size(), reference.size());
}

}  // namespace puna::evaluate
