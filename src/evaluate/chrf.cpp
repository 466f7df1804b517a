#include "evaluate/chrf.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/code_point.h"
#include "evaluate/words.h"

namespace puna::evaluate {
namespace {

using Grams = std::unordered_map<std::u32string_view, std::size_t>;

std::u32string without_blanks(std::string_view text) {
  std::u32string out = code_points(text);
  std::erase_if(out, is_space);
  return out;
}

Grams grams(std::u32string_view text, std::size_t n) {
  Grams out;
  for (std::size_t i = 0; i + n <= text.size(); ++i) ++out[text.substr(i, n)];
  return out;
}

ChrF::ByLength compare(std::u32string_view answer, std::u32string_view reference) {
  ChrF::ByLength out{};
  for (std::size_t n = 1; n <= ChrF::kLongest; ++n) {
    if (reference.size() < n) continue;  // the answer's runs of that length do not count against it
    auto& counts = out[n - 1];
    counts.wanted = reference.size() - n + 1;
    counts.answered = answer.size() < n ? 0 : answer.size() - n + 1;
    const Grams wanted = grams(reference, n);
    for (const auto& [gram, count] : grams(answer, n))
      if (const auto found = wanted.find(gram); found != wanted.end()) counts.common += std::min(count, found->second);
  }
  return out;
}

double score_of(const ChrF::ByLength& by_length) {
  double precision = 0, recall = 0;
  std::size_t lengths = 0;
  for (const auto& counts : by_length) {
    if (counts.answered == 0 || counts.wanted == 0) continue;
    precision += static_cast<double>(counts.common) / static_cast<double>(counts.answered);
    recall += static_cast<double>(counts.common) / static_cast<double>(counts.wanted);
    ++lengths;
  }
  if (precision + recall == 0) return 0;
  precision /= static_cast<double>(lengths);
  recall /= static_cast<double>(lengths);
  constexpr double kBetaSquared = 2 * 2;
  return 100 * (1 + kBetaSquared) * precision * recall / (kBetaSquared * precision + recall);
}

}  // namespace

void ChrF::add(std::string_view answer, std::span<const std::string> references) {
  const std::u32string text = without_blanks(answer);
  std::optional<ByLength> best;
  for (const auto& reference : references) {
    const ByLength counts = compare(text, without_blanks(reference));
    if (!best || score_of(counts) > score_of(*best)) best = counts;
  }
  if (!best) return;
  for (std::size_t i = 0; i < kLongest; ++i) {
    counts_[i].answered += (*best)[i].answered;
    counts_[i].wanted += (*best)[i].wanted;
    counts_[i].common += (*best)[i].common;
  }
}

double ChrF::score() const {
  return score_of(counts_);
}

}  // namespace puna::evaluate
