// Rotary position embedding (J. Su et al., "RoFormer", 2021), with the angles as llama.cpp computes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tune/arithmetic/floats.h"
#include "tune/arithmetic/team.h"
#include "tune/shape.h"

namespace puna::tune {

class Rotation {
 public:
  // For positions below `positions`; `factors` is empty or [head_width / 2].
  Rotation(const Shape& shape, std::span<const float> factors, std::size_t positions);
  // Of layers with a window.
  [[nodiscard]] static Rotation of_windows(const Shape& shape, std::size_t positions);
  [[nodiscard]] static std::size_t floats(const Shape& shape, std::size_t positions) { return positions * shape.head_width; }

  // Turns heads [tokens, heads, head_width] in place by the angle of each token's position; back turns the other way, which is the
  // gradient.
  enum class Direction : bool { forward, back };
  void turn(Team& team, Direction direction, std::span<const std::uint32_t> positions, std::size_t heads, float* x) const;

 private:
  Pairing pairing_;
  std::size_t width_;
  Floats table_;  // [positions, head_width / 2] pairs of cosine and sine
};

}  // namespace puna::tune
