// A run of training, step by step, from rows of tokens in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "tune/adapter.h"
#include "tune/batch.h"
#include "tune/model.h"
#include "tune/optimizer.h"
#include "tune/pass.h"
#include "tune/schedule.h"
#include "tune/team.h"

namespace puna::tune {

struct TrainerOptions {
  LoraOptions lora;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  PassOptions pass;
  float most_gradient_norm = 1;  // longer gradients are shortened to it; 0 means never
  std::uint64_t seed = 0;        // of dropout
};

struct StepReport {
  std::uint64_t step = 0;     // 1 for the first
  double loss = 0;            // mean over the trained tokens, by weight
  double trained_weight = 0;  // their weights' sum
  std::uint64_t tokens = 0;   // all that were computed
  double gradient_norm = 0;   // before it was shortened
  float learning_rate = 0;
  bool skipped = false;  // loss or gradient was no number: nothing was learnt from this step
};

struct Score {
  double loss = 0;            // mean over the trained tokens, by weight
  double trained_weight = 0;  // perplexity is exp(loss)
};

class Trainer {
 public:
  // `model` and `team` outlive it. Every option is checked before memory is taken.
  [[nodiscard]] static Result<Trainer> create(const Model& model, Team& team, const TrainerOptions& options);
  // What it takes beside the mapped file.
  [[nodiscard]] static Result<Bytes> memory(const Model& model, std::size_t threads, const TrainerOptions& options);

  // One step of the optimizer over some micro-batches. The gradient is the mean over all their trained tokens, so that it does not matter
  // how rows are spread over micro-batches. Code::cancelled within the time of one layer: then nothing has changed.
  [[nodiscard]] Result<StepReport> step(std::span<const MicroBatch> batches, const std::stop_token& stop = {});
  // Without dropout and without learning. `with` base: as if there were no adapter.
  enum class With : bool { adapter, base };
  [[nodiscard]] Result<Score> score(std::span<const MicroBatch> batches, With with = With::adapter, const std::stop_token& stop = {});

  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] Adapter& adapter() { return adapter_; }
  [[nodiscard]] const Adapter& adapter() const { return adapter_; }
  [[nodiscard]] Optimizer& optimizer() { return optimizer_; }
  [[nodiscard]] Pass& pass() { return *pass_; }
  void set_steps(std::uint64_t steps) { steps_ = steps; }

 private:
  Trainer(const Model& model, Team& team, const TrainerOptions& options, Adapter adapter);
  [[nodiscard]] double gradient_norm() const;

  const Model& model_;
  Team& team_;
  TrainerOptions options_;
  Adapter adapter_;
  Optimizer optimizer_;
  std::unique_ptr<Pass> pass_;
  std::uint64_t steps_ = 0;
};

}  // namespace puna::tune
