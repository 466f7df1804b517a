#include "tune/norm.h"

#include <algorithm>
#include <cmath>

#include "tune/arithmetic/kernels.h"

namespace puna::tune {
namespace {

constexpr std::size_t kShare = 16;  // rows in one task

template <class Each>
void for_rows(const NormCall& call, const Each& each) {
  call.team.for_each((call.rows + kShare - 1) / kShare, [&](std::size_t task, std::size_t thread) {
    const std::size_t end = std::min(call.rows, (task + 1) * kShare);
    for (std::size_t row = task * kShare; row < end; ++row) each(row * call.gain.size(), thread);
  });
}

float inverse_size(const NormCall& call, const float* x) {
  const std::size_t width = call.gain.size();
  return 1 / std::sqrt(kernels().dot(x, x, width) / static_cast<float>(width) + call.epsilon);
}

}  // namespace

void normalise(const NormCall& call, const float* x, float* y) {
  const Kernels& kernel = kernels();
  const std::size_t width = call.gain.size();
  for_rows(call, [&](std::size_t at, std::size_t) {
    const float inverse = inverse_size(call, x + at);
    kernel.multiply(y + at, x + at, call.gain.data(), width);
    kernel.scale(y + at, inverse, width);
  });
}

void normalise_back(const NormCall& call, const float* x, const float* d_y, float* d_x, Gradient gradient) {
  const Kernels& kernel = kernels();
  const std::size_t width = call.gain.size();
  for_rows(call, [&](std::size_t at, std::size_t thread) {
    float* scaled = call.team.scratch(thread, Team::Use::work, width);
    kernel.multiply(scaled, d_y + at, call.gain.data(), width);
    const float inverse = inverse_size(call, x + at);
    const float mean = kernel.dot(scaled, x + at, width) / static_cast<float>(width);
    if (gradient == Gradient::replace) std::fill_n(d_x + at, width, 0.0F);
    kernel.add_scaled(d_x + at, inverse, scaled, width);
    kernel.add_scaled(d_x + at, -mean * inverse * inverse * inverse, x + at, width);
  });
}

}  // namespace puna::tune
