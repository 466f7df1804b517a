#include "tune/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tune/arithmetic/kernels.h"
#include "tune/arithmetic/random.h"

namespace puna::tune {
namespace {

bool has_first(const OptimizerOptions& options) {
  return options.kind == OptimizerKind::adamw || (options.kind == OptimizerKind::sgd && options.momentum > 0);
}
bool has_second(const OptimizerOptions& options) {
  return options.kind == OptimizerKind::adamw;
}
bool is_small(const OptimizerOptions& options) {
  return options.kind == OptimizerKind::adamw_8bit;
}

Result<> check_between(std::string_view what, float value, float low, float below) {
  if (value >= low && value < below) return {};
  return fail(Code::invalid_argument, fmt::format("{} is {}; it must be at least {} and below {}", what, value, low, below));
}

}  // namespace

Result<> check(const OptimizerOptions& options) {
  PUNA_CHECK(check_between("beta1", options.beta1, 0, 1));
  PUNA_CHECK(check_between("beta2", options.beta2, 0, 1));
  PUNA_CHECK(check_between("momentum", options.momentum, 0, 1));
  PUNA_CHECK(check_between("weight decay", options.weight_decay, 0, 10));
  if (!(options.epsilon > 0 && options.epsilon < 1))
    return fail(Code::invalid_argument, fmt::format("epsilon is {}; it must be above 0 and below 1", options.epsilon));
  if (!(options.b_rate_ratio >= 1 && options.b_rate_ratio <= 100))
    return fail(Code::invalid_argument,
                fmt::format("the ratio of B's learning rate to A's is {}; it must be from 1 to 100", options.b_rate_ratio));
  return {};
}

Optimizer::Optimizer(const OptimizerOptions& options, std::size_t parameters)
    : options_(options), first_(has_first(options) ? parameters : 0), second_(has_second(options) ? parameters : 0) {
  first_.clear();
  second_.clear();
  if (!is_small(options)) return;
  small_first_ = SmallMoments(parameters, SmallMoments::Sign::any);
  small_second_ = SmallMoments(parameters, SmallMoments::Sign::positive);
}

Bytes Optimizer::memory(const OptimizerOptions& options, std::size_t parameters) {
  if (is_small(options)) return Bytes(2 * SmallMoments::bytes(parameters));
  return Bytes(sizeof(float) * parameters * ((has_first(options) ? 1U : 0U) + (has_second(options) ? 1U : 0U)));
}

std::vector<Optimizer::Array> Optimizer::state() {
  std::vector<Array> out;
  const auto add = [&](std::string_view name, gguf::TensorType type, auto values) {
    if (!values.empty()) out.push_back({name, type, values.size(), std::as_writable_bytes(values)});
  };
  add("m", gguf::TensorType::f32, first_.span());
  add("v", gguf::TensorType::f32, second_.span());
  add("m8", gguf::TensorType::i8, small_first_.codes());
  add("m8_scale", gguf::TensorType::f32, small_first_.scales());
  add("v8", gguf::TensorType::i8, small_second_.codes());
  add("v8_scale", gguf::TensorType::f32, small_second_.scales());
  return out;
}

std::vector<Optimizer::Stretch> Optimizer::stretches(const Adapter& adapter, float rate) const {
  std::vector<Stretch> out;
  for (const auto& pair : adapter.pairs()) {
    out.push_back({pair.a, pair.a_size(), rate});
    out.push_back({pair.b, pair.b_size(), rate * options_.b_rate_ratio});
  }
  return out;
}

void Optimizer::step(Team& team, Adapter& adapter, float rate, float factor) {
  ++steps_;
  const auto all = stretches(adapter, rate);
  if (is_small(options_)) {
    team.for_each(small_first_.scales().size(), [&](std::size_t block, std::size_t) { step_block(all, block, adapter, factor); });
    return;
  }
  team.for_each(all.size(), [&](std::size_t task, std::size_t) {
    const Stretch& stretch = all[task];
    if (options_.kind == OptimizerKind::sgd)
      step_sgd(stretch, adapter, factor);
    else
      step_adamw(stretch, adapter, adapter.parameters().data() + stretch.at, first_.data() + stretch.at, second_.data() + stretch.at,
                 factor);
  });
}

void Optimizer::step_adamw(const Stretch& stretch, const Adapter& adapter, float* p, float* m, float* v, float factor) const {
  const auto t = static_cast<double>(steps_);
  const auto correction1 = static_cast<float>(1 - std::pow(static_cast<double>(options_.beta1), t));
  const auto correction2 = static_cast<float>(1 / std::sqrt(1 - std::pow(static_cast<double>(options_.beta2), t)));
  kernels().adamw({factor, options_.beta1, options_.beta2, options_.epsilon, 1 - stretch.rate * options_.weight_decay,
                   stretch.rate / correction1, correction2},
                  p, adapter.gradients().data() + stretch.at, m, v, stretch.count);
}

void Optimizer::step_sgd(const Stretch& stretch, Adapter& adapter, float factor) {
  float* p = adapter.parameters().data() + stretch.at;
  const float* g = adapter.gradients().data() + stretch.at;
  kernels().scale(p, 1 - stretch.rate * options_.weight_decay, stretch.count);
  if (first_.size() == 0) {
    kernels().add_scaled(p, -stretch.rate * factor, g, stretch.count);
    return;
  }
  float* m = first_.data() + stretch.at;
  kernels().scale(m, options_.momentum, stretch.count);
  kernels().add_scaled(m, factor, g, stretch.count);
  kernels().add_scaled(p, -stretch.rate, m, stretch.count);
}

void Optimizer::step_block(std::span<const Stretch> all, std::size_t index, Adapter& adapter, float factor) {
  const std::size_t begin = index * SmallMoments::kBlock;
  const std::size_t end = std::min(begin + SmallMoments::kBlock, adapter.parameters().size());
  float m[SmallMoments::kBlock];
  float v[SmallMoments::kBlock];
  small_first_.load(index, m, end - begin);
  small_second_.load(index, v, end - begin);
  // A block may hold the end of one stretch and the begin of the next.
  auto stretch = std::ranges::upper_bound(all, begin, {}, [](const Stretch& one) { return one.at + one.count; });
  for (; stretch != all.end() && stretch->at < end; ++stretch) {
    const std::size_t from = std::max(begin, stretch->at);
    const std::size_t to = std::min(end, stretch->at + stretch->count);
    step_adamw({from, to - from, stretch->rate}, adapter, adapter.parameters().data() + from, m + (from - begin), v + (from - begin),
               factor);
  }
  small_first_.store(index, m, end - begin, derive(steps_, 0));
  small_second_.store(index, v, end - begin, derive(steps_, 1));
}

}  // namespace puna::tune
