#include "trainer/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "os/hardware.h"

namespace puna::trainer {
namespace {

constexpr std::size_t kUsualMicroBatch = 512;
constexpr std::int64_t kTimesInARun = 10;  // evaluations, checkpoints
constexpr std::int64_t kLeastBetweenCheckpoints = 10;
constexpr std::int64_t kMostBetweenCheckpoints = 100;

tune::Decay decay_of(wire::TuneSchedule schedule) {
  switch (schedule) {
    case wire::TuneSchedule::constant:
      return tune::Decay::constant;
    case wire::TuneSchedule::linear:
      return tune::Decay::linear;
    case wire::TuneSchedule::cosine:
      return tune::Decay::cosine;
  }
  return tune::Decay::cosine;
}

tune::OptimizerKind kind_of(wire::TuneOptimizer optimizer) {
  switch (optimizer) {
    case wire::TuneOptimizer::adamw:
      return tune::OptimizerKind::adamw;
    case wire::TuneOptimizer::adamw_8bit:
      return tune::OptimizerKind::adamw_8bit;
    case wire::TuneOptimizer::sgd:
      return tune::OptimizerKind::sgd;
  }
  return tune::OptimizerKind::adamw;
}

tune::OptimizerOptions optimizer_options(const wire::TuneSettings& settings) {
  return {.kind = kind_of(*settings.optimizer),
          .beta1 = static_cast<float>(settings.beta1.value_or(0)),
          .beta2 = static_cast<float>(settings.beta2.value_or(0)),
          .weight_decay = static_cast<float>(*settings.weight_decay),
          .momentum = static_cast<float>(settings.momentum.value_or(0)),
          .b_rate_ratio = static_cast<float>(*settings.lora_plus_ratio)};
}

Result<std::size_t> capacity_for(const wire::TuneSettings& settings, std::size_t longest) {
  if (!settings.micro_batch_tokens) return std::max(longest, kUsualMicroBatch);
  const auto capacity = static_cast<std::size_t>(*settings.micro_batch_tokens);
  if (capacity < longest)
    return fail(Code::invalid_argument,
                fmt::format("micro_batch_tokens is {}, but what must go through the model together has up to {} tokens: set at least that, "
                            "or a smaller context than {}",
                            capacity, longest, *settings.context));
  return capacity;
}

// Tokens of the fullest micro-batch that will ever be, so that memory is taken for it and not for more.
std::size_t fullest(const Course& course, std::size_t capacity, Packing packing) {
  constexpr std::int64_t kLookedAt = 10'000;  // steps
  if (course.steps() > kLookedAt) return capacity;
  std::size_t out = 0;
  for (std::int64_t step = 0; step < course.steps(); ++step) {
    std::vector<std::size_t> lengths;
    for (const auto row : course.rows(step)) lengths.push_back(course.lengths()[row]);
    const auto bins = packing == Packing::alone ? std::vector<std::vector<std::size_t>>() : tune::pack(lengths, capacity);
    for (const auto length : lengths) out = std::max(out, length);
    for (const auto& bin : bins) {
      std::size_t tokens = 0;
      for (const auto row : bin) tokens += lengths[row];
      out = std::max(out, tokens);
    }
  }
  return out;
}

Result<std::uint64_t> warmup_for(const wire::TuneSettings& settings, std::int64_t steps) {
  const double warmup = *settings.warmup;
  if (warmup < 1) return static_cast<std::uint64_t>(std::ceil(warmup * static_cast<double>(steps)));
  if (warmup >= static_cast<double>(steps))
    return fail(Code::invalid_argument,
                fmt::format("warmup is {} steps, and the whole run has {}; set fewer, or a part of them such as 0.03", warmup, steps));
  return static_cast<std::uint64_t>(warmup);
}

tune::Loss loss_of(const wire::TuneSettings& settings) {
  const auto method = wire::parse_method(settings.method.value_or("sft")).value_or(wire::TuneMethod::sft);
  switch (method) {
    case wire::TuneMethod::sft:
    case wire::TuneMethod::pretrain:
      return tune::Loss::cross_entropy;
    case wire::TuneMethod::orpo:
      return tune::Loss::orpo;
    case wire::TuneMethod::kto:
      return tune::Loss::kto;
    case wire::TuneMethod::dpo:
      break;
  }
  switch (settings.preference_loss.value_or(wire::TunePreferenceLoss::sigmoid)) {
    case wire::TunePreferenceLoss::sigmoid:
      return tune::Loss::dpo;
    case wire::TunePreferenceLoss::ipo:
      return tune::Loss::ipo;
    case wire::TunePreferenceLoss::sigmoid_normalized:
      return tune::Loss::dpo_normalized;
  }
  return tune::Loss::dpo;
}

tune::ObjectiveOptions objective_options(const wire::TuneSettings& settings) {
  tune::ObjectiveOptions out{.loss = loss_of(settings), .label_smoothing = settings.label_smoothing.value_or(0)};
  out.beta = settings.beta.value_or(out.beta);
  out.desirable_weight = settings.desirable_weight.value_or(1);
  out.undesirable_weight = settings.undesirable_weight.value_or(1);
  return out;
}

Result<> choose_recompute(const Materials& materials, Plan& plan) {
  auto& chosen = plan.options.pass.recompute;
  if (*plan.settings.recompute == wire::TuneRecompute::as_fits) {
    auto keeping = plan.options;
    keeping.pass.recompute = tune::Recompute::nothing;
    PUNA_TRY(const auto memory, tune::Trainer::memory(materials.model(), plan.threads, keeping));
    chosen = recompute_for(memory, os::probe_memory().available);
  }
  plan.settings.recompute = chosen == tune::Recompute::nothing ? wire::TuneRecompute::nothing : wire::TuneRecompute::each_layer;
  return {};
}

}  // namespace

tune::Recompute recompute_for(Bytes keeping, Bytes available) {
  return keeping.count <= available.count / 4 ? tune::Recompute::nothing : tune::Recompute::each_layer;
}

std::size_t threads_for(const wire::TuneSettings& settings, const wire::TuneOrder& order) {
  if (settings.threads.value_or(0) > 0) return static_cast<std::size_t>(*settings.threads);
  if (order.threads > 0) return static_cast<std::size_t>(order.threads);
  const auto hardware = os::probe_hardware();
  return std::max<std::size_t>(1, std::min(hardware.physical_cores, hardware.usable_cores));
}

Result<tune::TrainerOptions> trainer_options(const wire::TuneSettings& settings) {
  const auto seed = static_cast<std::uint64_t>(*settings.seed);
  tune::TrainerOptions out{.lora = {.rank = static_cast<std::size_t>(*settings.rank),
                                    .alpha = static_cast<float>(*settings.alpha),
                                    .rank_stabilized = *settings.rank_stabilized,
                                    .dropout = static_cast<float>(*settings.dropout),
                                    .targets = settings.targets.value_or(std::vector<std::string>{}),
                                    .ranks = {},
                                    .seed = seed},
                           .objective = objective_options(settings),
                           .optimizer = optimizer_options(settings),
                           .schedule = {.rate = static_cast<float>(*settings.learning_rate),
                                        .decay = decay_of(*settings.schedule),
                                        .floor = static_cast<float>(*settings.floor)},
                           .pass = {},
                           .most_gradient_norm = static_cast<float>(*settings.max_gradient_norm),
                           .seed = seed};
  if (settings.ranks)
    for (const auto& [name, rank] : *settings.ranks) out.lora.ranks.emplace(name, static_cast<std::size_t>(rank));
  // Until the lengths of rows are known, `as_fits` is the smaller one.
  out.pass.recompute = *settings.recompute == wire::TuneRecompute::nothing ? tune::Recompute::nothing : tune::Recompute::each_layer;
  out.pass.precision = *settings.precision == wire::TunePrecision::bf16 ? tune::Precision::bf16 : tune::Precision::f32;
  PUNA_TRY(out.pass.device, tune::find_device(*settings.device));
  return out;
}

Result<Plan> make_plan(const Materials& materials, const Units& units, const Units& evaluation) {
  const auto& settings = materials.settings();
  PUNA_TRY(auto options, trainer_options(settings));
  PUNA_TRY(auto course, Course::create(units.lengths(), {.epochs = settings.epochs,
                                                         .max_steps = settings.max_steps,
                                                         .batch_rows = settings.batch_rows.value_or(0),
                                                         .batch_tokens = settings.batch_tokens.value_or(0),
                                                         .seed = static_cast<std::uint64_t>(*settings.seed)}));
  Plan out{.settings = settings, .options = std::move(options), .course = std::move(course)};
  const auto steps = out.course.steps();
  const auto longest = std::max(units.longest(), evaluation.longest());
  PUNA_TRY(out.capacity, capacity_for(settings, longest));
  PUNA_TRY(out.options.schedule.warm_up, warmup_for(settings, steps));
  out.options.schedule.steps = static_cast<std::uint64_t>(steps);
  out.options.pass.longest = std::min(longest, static_cast<std::size_t>(*settings.context));
  out.threads = threads_for(settings, materials.order());
  out.packing = *settings.packing ? Packing::best_fit : Packing::alone;
  out.options.pass.most_tokens = std::max(fullest(out.course, out.capacity, out.packing), longest);
  const auto in_a_run = std::max<std::int64_t>(1, steps / kTimesInARun);
  const bool has_rows = materials.data().evaluation().size() > 0;
  if (has_rows || settings.sample_prompts) out.eval_every = *settings.eval_every > 0 ? *settings.eval_every : in_a_run;
  out.checkpoint_every =
      *settings.checkpoint_every > 0 ? *settings.checkpoint_every : std::clamp(in_a_run, kLeastBetweenCheckpoints, kMostBetweenCheckpoints);
  PUNA_CHECK(choose_recompute(materials, out));
  out.settings.micro_batch_tokens = static_cast<std::int64_t>(out.capacity);
  out.settings.threads = static_cast<std::int64_t>(out.threads);
  out.settings.device = out.options.pass.device ? out.options.pass.device->name : std::string(tune::kCpu);
  out.settings.eval_every = out.eval_every;
  out.settings.checkpoint_every = out.checkpoint_every;
  if (settings.patience.value_or(0) > 0 && !has_rows)
    return fail(Code::invalid_argument,
                fmt::format("patience is {}, but there are no rows to evaluate: set eval_fraction, or give files for evaluation",
                            *settings.patience));
  return out;
}

}  // namespace puna::trainer
