#include "tune/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tune/arithmetic/kernels.h"
#include "tune/arithmetic/random.h"
#include "tune/divergence.h"

namespace puna::tune {
namespace {

Result<> check(const TrainerOptions& options) {
  PUNA_CHECK(check(options.optimizer));
  PUNA_CHECK(check(options.schedule));
  PUNA_CHECK(check(options.objective));
  if (!(options.most_gradient_norm >= 0) || !std::isfinite(options.most_gradient_norm))
    return fail(Code::invalid_argument,
                fmt::format("the largest gradient norm is {}; it must be 0 (no limit) or more", options.most_gradient_norm));
  if (options.pass.most_tokens == 0 || options.pass.longest == 0 || options.pass.longest > options.pass.most_tokens)
    return fail(Code::invalid_argument,
                fmt::format("rows of {} tokens do not fit micro-batches of {}", options.pass.longest, options.pass.most_tokens));
  if (!options.pass.device && !can_multiply(options.pass.precision))
    return fail(Code::unsupported, "this CPU has no instruction for products in bfloat16; train in 32 bits");
  return {};
}

double loss_of(const MicroBatch& batch, std::span<const float> logarithms) {
  double loss = 0;
  for (std::size_t i = 0; i < logarithms.size(); ++i) loss -= double(batch.trained[i].weight) * logarithms[i];
  return loss;
}

void add(auto& report, const auto& part) {
  report.loss += part.loss;
  report.trained_weight += part.weight;
  if (!part.rewards) return;
  if (!report.rewards) report.rewards.emplace();
  *report.rewards += *part.rewards;
}

}  // namespace

Result<Trainer> Trainer::create(const Model& model, Team& team, const TrainerOptions& options) {
  PUNA_CHECK(check(options));
  PUNA_TRY(auto adapter, Adapter::create(model, options.lora));
  return Trainer(model, team, options, std::move(adapter));
}

Trainer::Trainer(const Model& model, Team& team, const TrainerOptions& options, Adapter adapter)
    : model_(model),
      team_(team),
      options_(options),
      objective_(make_objective(options.objective)),
      adapter_(std::move(adapter)),
      optimizer_(options.optimizer, adapter_.parameters().size()),
      pass_(std::make_unique<Pass>(model, team, &adapter_, options.pass)) {}

Result<Bytes> Trainer::memory(const Model& model, std::size_t threads, const TrainerOptions& options) {
  PUNA_CHECK(check(options));
  PUNA_TRY(const auto adapter, Adapter::create(model, options.lora));
  const std::size_t parameters = adapter.parameters().size();
  return Bytes(2 * sizeof(float) * parameters) + Optimizer::memory(options.optimizer, parameters) +
         Pass::memory(model, &adapter, threads, options.pass);
}

double Trainer::gradient_norm() const {
  double sum = 0;
  for (const auto& pair : adapter_.pairs()) {
    const float* a = adapter_.gradients().data() + pair.a;
    const float* b = adapter_.gradients().data() + pair.b;
    sum += double(kernels().dot(a, a, pair.a_size())) + double(kernels().dot(b, b, pair.b_size()));
  }
  return std::sqrt(sum);
}

Result<double> Trainer::divergence(std::span<const MicroBatch> batches, const Adapter* adapter, const std::stop_token& stop) {
  if (!objective_ || !objective_->needs_divergence()) return 0;
  for (const auto& batch : batches) PUNA_CHECK(objective_->check(batch));
  return estimate_divergence(*pass_, adapter, batches, options_.pass, stop);
}

Result<Trainer::Part> Trainer::learn(const MicroBatch& batch, std::uint64_t key, double divergence, const std::stop_token& stop) {
  if (!objective_) {
    PUNA_TRY(const auto logs, pass_->train(batch, adapter_, key, stop));
    return Part{.loss = loss_of(batch, logs), .weight = batch.weight()};
  }
  PUNA_CHECK(objective_->check(batch));
  std::vector<float> base;
  if (objective_->compares_with_base()) {
    PUNA_TRY(base, pass_->score(batch, nullptr, stop));
  }
  Judgement judgement;
  const auto slopes = [&](std::span<const float> logs) {
    judgement = objective_->judge({.batch = batch, .logs = logs, .base = base, .divergence = divergence});
    return judgement.slopes;
  };
  PUNA_TRY(const auto logs, pass_->train(batch, adapter_, key, slopes, stop));
  return Part{judgement.loss, static_cast<double>(objective_->examples(batch)), judgement.rewards};
}

Result<Trainer::Part> Trainer::look(const MicroBatch& batch, const Adapter* adapter, double divergence, const std::stop_token& stop) {
  PUNA_TRY(const auto logs, pass_->score(batch, adapter, stop));
  if (!objective_) return Part{.loss = loss_of(batch, logs), .weight = batch.weight()};
  PUNA_CHECK(objective_->check(batch));
  std::vector<float> base;
  if (objective_->compares_with_base()) {
    PUNA_TRY(base, adapter == nullptr ? Result<std::vector<float>>(logs) : pass_->score(batch, nullptr, stop));
  }
  const auto judgement = objective_->judge({.batch = batch, .logs = logs, .base = base, .divergence = divergence});
  return Part{judgement.loss, static_cast<double>(objective_->examples(batch)), judgement.rewards};
}

Result<StepReport> Trainer::step(std::span<const MicroBatch> batches, const std::stop_token& stop) {
  StepReport report{.step = steps_ + 1, .learning_rate = learning_rate(options_.schedule, steps_)};
  adapter_.gradients().clear();
  const std::uint64_t key = derive(options_.seed, steps_);
  PUNA_TRY(const double moved, divergence(batches, &adapter_, stop));
  for (std::size_t index = 0; index < batches.size(); ++index) {
    PUNA_TRY(const auto part, learn(batches[index], derive(key, index), moved, stop));
    add(report, part);
    report.tokens += batches[index].tokens.size();
  }
  if (report.trained_weight <= 0) return fail(Code::invalid_argument, "no token of this step is trained");
  report.loss /= report.trained_weight;
  report.gradient_norm = gradient_norm() / report.trained_weight;
  ++steps_;
  report.skipped = !std::isfinite(report.loss) || !std::isfinite(report.gradient_norm);
  if (report.skipped) return report;
  double factor = 1 / report.trained_weight;
  if (options_.most_gradient_norm > 0 && report.gradient_norm > double(options_.most_gradient_norm))
    factor *= double(options_.most_gradient_norm) / report.gradient_norm;
  optimizer_.step(team_, adapter_, report.learning_rate, static_cast<float>(factor));
  return report;
}

Result<Score> Trainer::score(std::span<const MicroBatch> batches, With with, const std::stop_token& stop) {
  Score out;
  const Adapter* adapter = with == With::adapter ? &adapter_ : nullptr;
  PUNA_TRY(const double moved, divergence(batches, adapter, stop));
  for (const auto& batch : batches) {
    PUNA_TRY(const auto part, look(batch, adapter, moved, stop));
    add(out, part);
  }
  if (out.trained_weight <= 0) return fail(Code::invalid_argument, "no token of these rows is trained");
  out.loss /= out.trained_weight;
  return out;
}

}  // namespace puna::tune
