// Rows that are not trained, and how well the model predicts them: the same rows each time.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "trainer/plan.h"
#include "trainer/units.h"
#include "tune/trainer.h"

namespace puna::trainer {

class Evaluation {
 public:
  // At most settings.eval_rows of the units, chosen by the seed.
  [[nodiscard]] static Result<Evaluation> create(Units& units, const Plan& plan, wire::TuneMethod method);

  [[nodiscard]] bool empty() const { return batches_.empty(); }
  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(rows_.size()); }
  // Of the data: those that are evaluated, in this order.
  [[nodiscard]] const std::vector<std::uint32_t>& data_rows() const { return rows_; }
  [[nodiscard]] Result<tune::Score> score(tune::Trainer& trainer, const std::stop_token& stop) const;

 private:
  std::vector<std::uint32_t> rows_;
  std::vector<tune::MicroBatch> batches_;
};

}  // namespace puna::trainer
