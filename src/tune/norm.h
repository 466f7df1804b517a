// Root mean square normalisation (B. Zhang, R. Sennrich, 2019): y = g x / sqrt(mean(x^2) + epsilon), row by row.
#pragma once

#include <cstddef>
#include <span>

#include "tune/arithmetic/team.h"
#include "tune/gradient.h"

namespace puna::tune {

struct NormCall {
  Team& team;
  std::span<const float> gain;  // [width]
  float epsilon = 0;
  std::size_t rows = 0;
};

// y [rows, width]; may be x.
void normalise(const NormCall& call, const float* x, float* y);
// With r = 1 / sqrt(mean(x^2) + epsilon): d_x += r g d_y - x r^3 mean(x g d_y). With `replace`, d_x is set instead, and may be d_y.
void normalise_back(const NormCall& call, const float* x, const float* d_y, float* d_x, Gradient gradient);

}  // namespace puna::tune
