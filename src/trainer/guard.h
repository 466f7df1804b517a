// Watches a run: what is worth a note, when it has gone wrong, when it may end early.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace puna::trainer {

// What must come back with a checkpoint, so that a run goes on as if it had not stopped.
struct GuardState {
  std::int64_t steps = 0;    // with a loss
  double smoothed = 0;       // mean of losses, of which older ones weigh less and less
  std::int64_t skipped = 0;  // in a row
  bool said_memorizing = false;
  bool said_overfitting = false;
  std::optional<double> best;  // evaluation loss
  std::int64_t best_step = 0;
  std::optional<double> last;  // evaluation loss
  std::int64_t rising = 0;     // evaluations in a row that were worse than the one before
  std::int64_t waited = 0;     // evaluations in a row without a better one
};
BOOST_DESCRIBE_STRUCT(GuardState, (), (steps, smoothed, skipped, said_memorizing, said_overfitting, best, best_step, last, rising, waited))

class Guard {
 public:
  // `patience`: evaluations in a row without a better loss, after which it is enough; 0: never.
  explicit Guard(std::int64_t patience) : patience_(patience) {}

  // Of each step. Notes for people. Code::conflict when so many steps in a row had no number as loss or gradient that the run is lost.
  [[nodiscard]] Result<std::vector<std::string>> step(std::int64_t step, double loss, bool skipped, double learning_rate);
  struct Judgement {
    bool best = false;
    std::vector<std::string> notes;
  };
  [[nodiscard]] Judgement evaluation(std::int64_t step, double loss);
  [[nodiscard]] bool enough() const { return patience_ > 0 && state_.waited >= patience_; }

  [[nodiscard]] const GuardState& state() const { return state_; }
  void restore(const GuardState& state) { state_ = state; }

 private:
  std::int64_t patience_;
  GuardState state_;
};

}  // namespace puna::trainer
