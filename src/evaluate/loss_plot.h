// The curves of a run as a picture.
#pragma once

#include <span>
#include <string>

#include "wire/tune.h"

namespace puna::evaluate {

// An SVG that stands alone: loss of the steps, smoothed loss, and the loss of rows that were not trained, over the steps. Values that are
// no numbers are left out; without any point the picture says so. Thousands of steps are drawn as means of neighbours.
[[nodiscard]] std::string loss_plot(std::span<const wire::TuneEvent> metrics);

}  // namespace puna::evaluate
