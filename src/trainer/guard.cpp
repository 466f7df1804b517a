#include "trainer/guard.h"

#include <fmt/format.h>

#include <cmath>

namespace puna::trainer {
namespace {

constexpr double kSmoothing = 0.9;          // weight of what was before
constexpr std::int64_t kSkippedAtMost = 5;  // in a row
constexpr double kSpike = 2;                // times the smoothed loss
constexpr std::int64_t kSettled = 10;       // steps, before which losses jump by nature
constexpr double kMemorized = 0.05;
constexpr std::int64_t kRising = 2;

}  // namespace

Result<std::vector<std::string>> Guard::step(std::int64_t step, double loss, bool skipped, double learning_rate) {
  std::vector<std::string> notes;
  if (skipped) {
    if (++state_.skipped >= kSkippedAtMost)
      return fail(Code::conflict,
                  fmt::format("loss or gradient was no number in {} steps in a row, up to step {}: set a lower learning_rate than "
                              "{:g}, or look into the data",
                              state_.skipped, step, learning_rate));
    notes.push_back(fmt::format("step {}: loss or gradient was no number; nothing was learnt from it", step));
    return notes;
  }
  state_.skipped = 0;
  if (state_.steps >= kSettled && loss > kSpike * state_.smoothed && loss > 0.5)
    notes.push_back(fmt::format("step {}: the loss jumped from about {:.3f} to {:.3f}; if it stays there, set a lower learning_rate", step,
                                state_.smoothed, loss));
  // The mean of the first losses, and a weighted one from then on.
  const double weight = std::min(kSmoothing, static_cast<double>(state_.steps) / static_cast<double>(state_.steps + 1));
  state_.smoothed = weight * state_.smoothed + (1 - weight) * loss;
  ++state_.steps;
  if (!state_.said_memorizing && state_.steps >= kSettled && state_.smoothed < kMemorized) {
    state_.said_memorizing = true;
    notes.push_back(fmt::format("step {}: the loss is below {}: the model knows its rows by heart, and more steps teach it little else",
                                step, kMemorized));
  }
  return notes;
}

Guard::Judgement Guard::evaluation(std::int64_t step, double loss) {
  Judgement out;
  out.best = std::isfinite(loss) && (!state_.best || loss < *state_.best);
  if (out.best) {
    state_.best = loss;
    state_.best_step = step;
    state_.waited = 0;
  } else {
    ++state_.waited;
  }
  state_.rising = state_.last && loss > *state_.last ? state_.rising + 1 : 0;
  state_.last = loss;
  if (!state_.said_overfitting && state_.rising >= kRising) {
    state_.said_overfitting = true;
    out.notes.push_back(
        fmt::format("step {}: the loss of rows that are not trained rises while the run goes on: fewer epochs may do better; the "
                    "best so far was step {}",
                    step, state_.best_step));
  }
  return out;
}

}  // namespace puna::trainer
