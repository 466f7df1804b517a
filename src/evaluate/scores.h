// All scores of answers against what was wanted.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "evaluate/chrf.h"
#include "wire/tune.h"

namespace puna::evaluate {

class Scores {
 public:
  // One row. Each score takes the reference that is best for the answer; a row without references does not count.
  void add(std::string_view answer, std::span<const std::string> references);
  // Means over the rows (chrF: over all of them as one text), without loss and perplexity; nothing where there was no row. json_valid is
  // there when every reference is a JSON object or array.
  [[nodiscard]] wire::TuneScores mean() const;

 private:
  void count_json(std::string_view answer, std::span<const std::string> references);

  struct Sums {
    double exact_match = 0;
    double token_f1 = 0;
    double rouge1 = 0;
    double rouge2 = 0;
    double rougel = 0;
  };
  Sums sums_;
  ChrF chrf_;
  std::int64_t rows_ = 0;
  std::int64_t json_rows_ = 0;  // whose references are JSON
  std::int64_t json_valid_ = 0;
};

}  // namespace puna::evaluate
