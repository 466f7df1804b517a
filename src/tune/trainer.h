// A run of training, step by step, from rows of tokens in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "tune/adapter.h"
#include "tune/arithmetic/team.h"
#include "tune/batch.h"
#include "tune/model.h"
#include "tune/objective.h"
#include "tune/optimizer.h"
#include "tune/pass.h"
#include "tune/schedule.h"

namespace puna::tune {

struct TrainerOptions {
  LoraOptions lora;
  ObjectiveOptions objective;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  PassOptions pass;
  float most_gradient_norm = 1;  // longer gradients are shortened to it; 0 means never
  std::uint64_t seed = 0;        // of dropout
};

struct StepReport {
  std::uint64_t step = 0;          // 1 for the first
  double loss = 0;                 // mean over the trained tokens, by weight; of other objectives than cross-entropy, over the examples
  double trained_weight = 0;       // what that is the mean of: the sum of weights, or the number of examples
  std::optional<Rewards> rewards;  // of objectives that have them
  std::uint64_t tokens = 0;        // all that were computed
  double gradient_norm = 0;        // before it was shortened
  float learning_rate = 0;
  bool skipped = false;  // loss or gradient was no number: nothing was learnt from this step
};

struct Score {
  double loss = 0;  // as in StepReport; perplexity is exp(loss) where it is the cross-entropy
  double trained_weight = 0;
  std::optional<Rewards> rewards;
};

class Trainer {
 public:
  // `model` and `team` outlive it. Every option is checked before memory is taken.
  [[nodiscard]] static Result<Trainer> create(const Model& model, Team& team, const TrainerOptions& options);
  // What it takes beside the mapped file.
  [[nodiscard]] static Result<Bytes> memory(const Model& model, std::size_t threads, const TrainerOptions& options);

  // One step of the optimizer over some micro-batches. The gradient is the mean over all their trained tokens, or examples, so that it
  // does not matter how rows are spread over micro-batches; only a pair stays together. Code::cancelled within the time of one layer:
  // then nothing has changed.
  [[nodiscard]] Result<StepReport> step(std::span<const MicroBatch> batches, const std::stop_token& stop = {});
  // By the same objective, without dropout and without learning. `with` base: as if there were no adapter.
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
  struct Part {  // of a step: one micro-batch
    double loss = 0;
    double weight = 0;
    std::optional<Rewards> rewards;
  };
  Trainer(const Model& model, Team& team, const TrainerOptions& options, Adapter adapter);
  [[nodiscard]] double gradient_norm() const;
  [[nodiscard]] Result<double> divergence(std::span<const MicroBatch> batches, const Adapter* adapter, const std::stop_token& stop);
  [[nodiscard]] Result<Part> learn(const MicroBatch& batch, std::uint64_t key, double divergence, const std::stop_token& stop);
  [[nodiscard]] Result<Part> look(const MicroBatch& batch, const Adapter* adapter, double divergence, const std::stop_token& stop);

  const Model& model_;
  Team& team_;
  TrainerOptions options_;
  std::unique_ptr<const Objective> objective_;  // null: the cross-entropy
  Adapter adapter_;
  Optimizer optimizer_;
  std::unique_ptr<Pass> pass_;
  std::uint64_t steps_ = 0;
};

}  // namespace puna::tune
