#include "tune/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tune/kernels.h"

namespace puna::tune {
namespace {

constexpr std::size_t kShare = 1 << 14;  // parameters in one task

bool has_first(const OptimizerOptions& options) {
  return options.kind != OptimizerKind::sgd || options.momentum > 0;
}
bool has_second(const OptimizerOptions& options) {
  return options.kind != OptimizerKind::sgd;
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
}

Bytes Optimizer::memory(const OptimizerOptions& options, std::size_t parameters) {
  return Bytes(sizeof(float) * parameters * ((has_first(options) ? 1U : 0U) + (has_second(options) ? 1U : 0U)));
}

std::vector<Optimizer::Array> Optimizer::state() {
  std::vector<Array> out;
  if (first_.size() > 0) out.push_back({"m", first_.span()});
  if (second_.size() > 0) out.push_back({"v", second_.span()});
  return out;
}

void Optimizer::step(Team& team, Adapter& adapter, float rate, float factor) {
  ++steps_;
  struct Stretch {
    std::size_t at;
    std::size_t count;
    float rate;
  };
  std::vector<Stretch> stretches;
  const auto share_out = [&](std::size_t begin, std::size_t size, float own_rate) {
    for (std::size_t at = 0; at < size; at += kShare) stretches.push_back({begin + at, std::min(kShare, size - at), own_rate});
  };
  for (const auto& pair : adapter.pairs()) {
    share_out(pair.a, pair.a_size(), rate);
    share_out(pair.b, pair.b_size(), rate * options_.b_rate_ratio);
  }
  team.for_each(stretches.size(), [&](std::size_t task, std::size_t) {
    step_stretch(adapter, stretches[task].at, stretches[task].count, stretches[task].rate, factor);
  });
}

void Optimizer::step_stretch(Adapter& adapter, std::size_t at, std::size_t count, float rate, float factor) {
  float* p = adapter.parameters().data() + at;
  const float* g = adapter.gradients().data() + at;
  const float decay = 1 - rate * options_.weight_decay;
  if (has_second(options_)) {
    const auto t = static_cast<double>(steps_);
    const auto correction1 = static_cast<float>(1 - std::pow(static_cast<double>(options_.beta1), t));
    const auto correction2 = static_cast<float>(1 / std::sqrt(1 - std::pow(static_cast<double>(options_.beta2), t)));
    kernels().adamw({factor, options_.beta1, options_.beta2, options_.epsilon, decay, rate / correction1, correction2}, p, g,
                    first_.data() + at, second_.data() + at, count);
    return;
  }
  kernels().scale(p, decay, count);
  if (first_.size() == 0) {
    kernels().add_scaled(p, -rate * factor, g, count);
    return;
  }
  float* m = first_.data() + at;
  kernels().scale(m, options_.momentum, count);
  kernels().add_scaled(m, factor, g, count);
  kernels().add_scaled(p, -rate, m, count);
}

}  // namespace puna::tune
