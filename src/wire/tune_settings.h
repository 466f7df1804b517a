// How a model is trained: every setting of a run. What each means, its bounds and its default stand in wire/tune_schema.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/dataset.h"

namespace puna::wire {

// Values that other settings begin with on machines of a size; what is given comes first.
enum class TunePreset { low, mid, high };
BOOST_DESCRIBE_ENUM(TunePreset, low, mid, high)

enum class TuneSchedule { constant, linear, cosine };
BOOST_DESCRIBE_ENUM(TuneSchedule, constant, linear, cosine)

enum class TuneOptimizer {
  adamw,
  adamw_8bit,  // with a byte for each moment
  sgd
};
BOOST_DESCRIBE_ENUM(TuneOptimizer, adamw, adamw_8bit, sgd)

enum class TunePrecision { f32, bf16 };
BOOST_DESCRIBE_ENUM(TunePrecision, f32, bf16)

enum class TuneRecompute {
  as_fits,     // nothing where that takes a small part of the free memory, else each_layer
  each_layer,  // keeps the inputs of layers only: slower, in a fraction of the memory
  nothing      // keeps everything
};
BOOST_DESCRIBE_ENUM(TuneRecompute, as_fits, each_layer, nothing)

enum class TunePreferenceLoss {
  sigmoid,            // R. Rafailov et al., "Direct Preference Optimization" (2023)
  ipo,                // M. Azar et al., "A General Theoretical Paradigm to Understand Learning from Human Preferences" (2023)
  sigmoid_normalized  // as sigmoid, over the mean of an answer's tokens instead of their sum
};
BOOST_DESCRIBE_ENUM(TunePreferenceLoss, sigmoid, ipo, sigmoid_normalized)

enum class TuneBadRows { refuse, leave_out };
BOOST_DESCRIBE_ENUM(TuneBadRows, refuse, leave_out)

enum class TuneDuplicates { keep, leave_out };
BOOST_DESCRIBE_ENUM(TuneDuplicates, keep, leave_out)

// What is absent in a request is filled in: by complete(), and what depends on the model or the data when a run begins.
struct TuneSettings {
  std::optional<std::string> method;  // of wire/training.h
  std::optional<std::string> task;
  std::optional<TunePreset> preset;

  std::optional<std::int64_t> rank;
  std::optional<double> alpha;
  std::optional<double> dropout;
  std::optional<bool> rank_stabilized;
  std::optional<double> lora_plus_ratio;
  std::optional<std::vector<std::string>> targets;
  std::optional<std::map<std::string, std::int64_t>> ranks;

  std::optional<double> learning_rate;
  std::optional<TuneSchedule> schedule;
  std::optional<double> warmup;
  std::optional<double> floor;
  std::optional<double> epochs;
  std::optional<std::int64_t> max_steps;
  std::optional<std::int64_t> batch_rows;
  std::optional<std::int64_t> batch_tokens;
  std::optional<std::int64_t> micro_batch_tokens;
  std::optional<std::int64_t> context;
  std::optional<bool> packing;
  std::optional<TrainOn> train_on;

  std::optional<TuneOptimizer> optimizer;
  std::optional<double> weight_decay;
  std::optional<double> beta1;
  std::optional<double> beta2;
  std::optional<double> momentum;
  std::optional<double> max_gradient_norm;
  std::optional<std::int64_t> seed;
  std::optional<TunePrecision> precision;
  std::optional<TuneRecompute> recompute;
  std::optional<std::int64_t> threads;
  std::optional<std::string> device;

  std::optional<double> eval_fraction;
  std::optional<std::int64_t> eval_every;
  std::optional<std::int64_t> eval_rows;
  std::optional<std::int64_t> outputs;
  std::optional<std::int64_t> output_tokens;
  std::optional<std::int64_t> patience;
  std::optional<bool> keep_best;
  std::optional<std::int64_t> checkpoint_every;
  std::optional<std::int64_t> keep_checkpoints;
  std::optional<std::vector<std::string>> sample_prompts;

  std::optional<double> beta;
  std::optional<TunePreferenceLoss> preference_loss;
  std::optional<double> label_smoothing;
  std::optional<double> desirable_weight;
  std::optional<double> undesirable_weight;

  std::optional<std::string> instruction;
  std::optional<TuneBadRows> bad_rows;
  std::optional<TuneDuplicates> duplicates;
};
BOOST_DESCRIBE_STRUCT(TuneSettings, (),
                      (method, task, preset, rank, alpha, dropout, rank_stabilized, lora_plus_ratio, targets, ranks, learning_rate,
                       schedule, warmup, floor, epochs, max_steps, batch_rows, batch_tokens, micro_batch_tokens, context, packing, train_on,
                       optimizer, weight_decay, beta1, beta2, momentum, max_gradient_norm, seed, precision, recompute, threads, device,
                       eval_fraction, eval_every, eval_rows, outputs, output_tokens, patience, keep_best, checkpoint_every,
                       keep_checkpoints, sample_prompts, beta, preference_loss, label_smoothing, desirable_weight, undesirable_weight,
                       instruction, bad_rows, duplicates))

}  // namespace puna::wire
