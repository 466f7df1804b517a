// How scores are written for people: one table for pages, cards and terminals.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "wire/tune.h"

namespace puna::wire {

struct TuneScoreKind {
  std::string_view name;
  std::optional<double> TuneScores::* value;
  double scale;  // to what people read
  int decimals;
  bool lower_is_better;
};
inline constexpr auto kTuneScores = std::to_array<TuneScoreKind>({
    {"loss", &TuneScores::loss, 1, 4, true},
    {"perplexity", &TuneScores::perplexity, 1, 3, true},
    {"exact match, %", &TuneScores::exact_match, 100, 1, false},
    {"token F1, %", &TuneScores::token_f1, 100, 1, false},
    {"ROUGE-1, %", &TuneScores::rouge1, 100, 1, false},
    {"ROUGE-2, %", &TuneScores::rouge2, 100, 1, false},
    {"ROUGE-L, %", &TuneScores::rougel, 100, 1, false},
    {"chrF", &TuneScores::chrf, 1, 1, false},
    {"valid JSON, %", &TuneScores::json_valid, 100, 1, false},
});

// "12.182"; `absent` where there is none.
[[nodiscard]] std::string score_text(const TuneScores& scores, const TuneScoreKind& kind, std::string_view absent);

}  // namespace puna::wire
