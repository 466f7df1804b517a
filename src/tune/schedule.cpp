#include "tune/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace puna::tune {

Result<> check(const ScheduleOptions& options) {
  if (!(options.rate > 0 && options.rate <= 1))
    return fail(Code::invalid_argument, fmt::format("the learning rate is {}; it must be above 0 and at most 1", options.rate));
  if (!(options.floor >= 0 && options.floor <= 1))
    return fail(Code::invalid_argument,
                fmt::format("the floor of the learning rate is {}; it must be from 0 to 1 of the highest", options.floor));
  if (options.steps == 0) return fail(Code::invalid_argument, "a run has at least one step");
  if (options.warm_up >= options.steps)
    return fail(Code::invalid_argument, fmt::format("warm-up of {} steps leaves nothing of a run of {}", options.warm_up, options.steps));
  return {};
}

float learning_rate(const ScheduleOptions& options, std::uint64_t step) {
  if (step < options.warm_up) return options.rate * static_cast<float>(step + 1) / static_cast<float>(options.warm_up);
  const double length = static_cast<double>(options.steps - options.warm_up);
  const double done = std::min(1.0, static_cast<double>(step - options.warm_up) / length);
  double part = 1;
  switch (options.decay) {
    case Decay::constant:
      return options.rate;
    case Decay::linear:
      part = 1 - done;
      break;
    case Decay::cosine:
      part = 0.5 * (1 + std::cos(std::numbers::pi * done));
      break;
  }
  return static_cast<float>(options.rate * (options.floor + (1 - options.floor) * part));
}

}  // namespace puna::tune
