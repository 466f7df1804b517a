// The learning rate over a run.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace puna::tune {

enum class Decay : std::uint8_t { constant, linear, cosine };

struct ScheduleOptions {
  float rate = 2e-4F;  // at its highest
  Decay decay = Decay::cosine;
  std::uint64_t warm_up = 0;  // steps in which the rate rises in even steps to its highest
  std::uint64_t steps = 0;    // of the whole run; at the end of it the rate has fallen to `floor`
  float floor = 0;            // as a part of `rate`
};

[[nodiscard]] Result<> check(const ScheduleOptions& options);
// For step 0, 1, ...; after the last step the rate of the end.
[[nodiscard]] float learning_rate(const ScheduleOptions& options, std::uint64_t step);

}  // namespace puna::tune
