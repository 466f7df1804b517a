#include "evaluate/scores.h"

#include <algorithm>

#include "evaluate/rouge.h"
#include "evaluate/squad.h"
#include "evaluate/words.h"

namespace puna::evaluate {
namespace {

template <class Score>
double best(std::span<const std::string> references, Score&& score) {
  double out = 0;
  for (const auto& reference : references) out = std::max(out, score(reference));
  return out;
}

// Numbers and words that stand alone are JSON too, but nobody who wants "42" wants JSON.
bool is_json_structure(std::string_view text) {
  const auto parsed = json::parse(text);
  return parsed && parsed->is_structured();
}

}  // namespace

void Scores::add(std::string_view answer, std::span<const std::string> references) {
  if (references.empty()) return;
  ++rows_;
  const Words answered = words(answer);
  sums_.exact_match += best(references, [&](std::string_view wanted) { return exact_match(answer, wanted); });
  sums_.token_f1 += best(references, [&](std::string_view wanted) { return token_f1(answer, wanted); });
  sums_.rouge1 += best(references, [&](std::string_view wanted) { return rouge_n(answered, words(wanted), 1).f1; });
  sums_.rouge2 += best(references, [&](std::string_view wanted) { return rouge_n(answered, words(wanted), 2).f1; });
  sums_.rougel += best(references, [&](std::string_view wanted) { return rouge_l(answered, words(wanted)).f1; });
  chrf_.add(answer, references);
  count_json(answer, references);
}

void Scores::count_json(std::string_view answer, std::span<const std::string> references) {
  if (!std::ranges::all_of(references, is_json_structure)) return;
  ++json_rows_;
  json_valid_ += is_json_structure(answer) ? 1 : 0;
}

wire::TuneScores Scores::mean() const {
  wire::TuneScores out;
  if (rows_ == 0) return out;
  const auto rows = static_cast<double>(rows_);
  out.exact_match = sums_.exact_match / rows;
  out.token_f1 = sums_.token_f1 / rows;
  out.rouge1 = sums_.rouge1 / rows;
  out.rouge2 = sums_.rouge2 / rows;
  out.rougel = sums_.rougel / rows;
  out.chrf = chrf_.score();
  if (json_rows_ == rows_) out.json_valid = static_cast<double>(json_valid_) / rows;
  return out;
}

}  // namespace puna::evaluate
