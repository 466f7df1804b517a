// What a training makes smaller: the cross-entropy of answers, or a loss that compares or judges them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "tune/batch.h"

namespace puna::tune {

enum class Loss : std::uint8_t {
  cross_entropy,   // of each trained token, by its weight
  dpo,             // R. Rafailov et al., "Direct Preference Optimization" (2023), equation 7
  ipo,             // M. Azar et al., "A General Theoretical Paradigm to Understand Learning from Human Preferences" (2023), equation 17
  dpo_normalized,  // the same as dpo over means instead of sums: N. Lambert et al., "Tülu 3" (2024), section 5.1.2
  orpo,            // J. Hong et al., "ORPO: Monolithic Preference Optimization without Reference Model" (2024), equations 6 and 7
  kto              // K. Ethayarajh et al., "KTO: Model Alignment as Prospect Theoretic Optimization" (2024), section 4.1
};

struct ObjectiveOptions {
  Loss loss = Loss::cross_entropy;
  double beta = 0.1;              // of ipo: tau; of orpo: lambda
  double label_smoothing = 0;     // of dpo and dpo_normalized: the share of labels that are wrong (E. Mitchell, "cDPO", 2023)
  double desirable_weight = 1;    // of kto, for good answers
  double undesirable_weight = 1;  // of kto, for bad ones
};
// Code::invalid_argument names the option, its value and what is possible.
[[nodiscard]] Result<> check(const ObjectiveOptions& options);

// Rewards of answers: how much likelier the training made them, times beta; of orpo, which has nothing to compare with, how likely they
// are. Sums, so that those of micro-batches add up.
struct Rewards {
  double chosen = 0;
  double rejected = 0;
  std::size_t chosen_count = 0;  // of kto: good answers
  std::size_t rejected_count = 0;
  std::size_t right = 0;     // pairs whose chosen answer has the higher reward; of kto: answers on their side of the divergence
  std::size_t compared = 0;  // pairs; of kto: answers

  Rewards& operator+=(const Rewards& other);
};

// A micro-batch after its way forward.
struct Predicted {
  const MicroBatch& batch;
  std::span<const float> logs;  // of the probability of each of batch.trained
  std::span<const float> base;  // the same without the adapter; empty where compares_with_base() is false
  double divergence = 0;        // from the base, over answers to other prompts; see tune/divergence.h
};

struct Judgement {
  double loss = 0;            // the sum over examples
  std::vector<float> slopes;  // its derivative with respect to each of the logs
  Rewards rewards;
};

class Objective {
 public:
  virtual ~Objective() = default;
  // Code::invalid_argument unless the batch's documents are what the loss is of: pairs of a chosen answer and, behind it, a rejected
  // one; or good and bad ones. Each has something that is trained.
  [[nodiscard]] virtual Result<> check(const MicroBatch& batch) const = 0;
  // How many examples there are. A step's gradient is the mean over all of its micro-batches' examples.
  [[nodiscard]] virtual std::size_t examples(const MicroBatch& batch) const = 0;
  [[nodiscard]] virtual bool compares_with_base() const = 0;
  [[nodiscard]] virtual bool needs_divergence() const = 0;
  [[nodiscard]] virtual Judgement judge(const Predicted& predicted) const = 0;
};

// Null for the cross-entropy, whose slopes need no look at the logs. The options are sound.
[[nodiscard]] std::unique_ptr<const Objective> make_objective(const ObjectiveOptions& options);

}  // namespace puna::tune
