#include "wire/tune_scores.h"

#include <fmt/format.h>

namespace puna::wire {

std::string score_text(const TuneScores& scores, const TuneScoreKind& kind, std::string_view absent) {
  const auto& value = scores.*kind.value;
  return value ? fmt::format("{:.{}f}", *value * kind.scale, kind.decimals) : std::string(absent);
}

}  // namespace puna::wire
