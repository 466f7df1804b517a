#include "tune/rotation.h"

#include <cmath>

namespace puna::tune {

Rotation::Rotation(const Shape& shape, std::span<const float> factors, std::size_t positions)
    : pairing_(shape.architecture->pairing), width_(shape.head_width), table_(floats(shape, positions)) {
  // llama.cpp multiplies step by step in 32 bits; at high positions any other order gives other angles.
  const float step = std::pow(shape.rotary_base, -2.0F / static_cast<float>(width_));
  for (std::size_t position = 0; position < positions; ++position) {
    auto angle = static_cast<float>(position);
    float* row = table_.data() + position * width_;
    for (std::size_t pair = 0; pair < width_ / 2; ++pair, angle *= step) {
      const float turned = shape.rotary_scale * (factors.empty() ? angle : angle / factors[pair]);
      row[2 * pair] = shape.rotary_size * std::cos(turned);
      row[2 * pair + 1] = shape.rotary_size * std::sin(turned);
    }
  }
}

Rotation Rotation::of_windows(const Shape& shape, std::size_t positions) {
  Shape windows = shape;
  windows.rotary_base = shape.window_rotary_base;
  windows.rotary_scale = shape.window_rotary_scale;
  return {windows, {}, positions};
}

void Rotation::turn(Team& team, Direction direction, std::span<const std::uint32_t> positions, std::size_t heads, float* x) const {
  const std::size_t stride = pairing_ == Pairing::halves ? width_ / 2 : 1;  // from one of a pair to the other
  const std::size_t next = pairing_ == Pairing::halves ? 1 : 2;             // from one pair to the next
  const float sign = direction == Direction::forward ? 1.0F : -1.0F;
  team.for_each(positions.size(), [&](std::size_t token, std::size_t) {
    const float* row = table_.data() + positions[token] * width_;
    for (std::size_t head = 0; head < heads; ++head) {
      float* at = x + (token * heads + head) * width_;
      for (std::size_t pair = 0; pair < width_ / 2; ++pair) {
        const float cosine = row[2 * pair];
        const float sine = sign * row[2 * pair + 1];
        float& first = at[pair * next];
        float& second = at[pair * next + stride];
        const float turned = first * cosine - second * sine;
        second = first * sine + second * cosine;
        first = turned;
      }
    }
  });
}

}  // namespace puna::tune
