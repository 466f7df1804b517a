#include "tune/small_moments.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "tune/arithmetic/random.h"

namespace puna::tune {
namespace {

constexpr int kStepsOfOctave = 8;
constexpr int kMostSteps = 255;

// Powers of 2^(1/8), from 2^(-255/8) to 1.
const std::array<float, kMostSteps + 1>& powers() {
  static const auto kTable = [] {
    std::array<float, kMostSteps + 1> out{};
    for (int i = 0; i <= kMostSteps; ++i)
      out[static_cast<std::size_t>(i)] = static_cast<float>(std::exp2(double(i - kMostSteps) / kStepsOfOctave));
    return out;
  }();
  return kTable;
}

// Of the two powers that a part (0, 1] of the scale lies between, one by chance; below the smallest of `steps`, that or zero.
int step_of(float part, int steps, float chance) {
  const auto& table = powers();
  const int offset = kMostSteps - steps;
  const auto above = std::ranges::upper_bound(table.begin() + offset + 1, table.end(), part);
  if (above == table.end()) return steps;
  const auto high = static_cast<int>(above - table.begin()) - offset;
  const float low_value = high == 1 ? 0.0F : table[static_cast<std::size_t>(high + offset - 1)];
  return chance * (*above - low_value) < part - low_value ? high : high - 1;
}

}  // namespace

SmallMoments::SmallMoments(std::size_t count, Sign sign) : sign_(sign), codes_(count), scales_((count + kBlock - 1) / kBlock) {}

void SmallMoments::load(std::size_t index, float* to, std::size_t count) const {
  const auto& table = powers();
  const std::int8_t* codes = codes_.data() + index * kBlock;
  const float scale = scales_[index];
  for (std::size_t i = 0; i < count; ++i) {
    if (codes[i] == 0)
      to[i] = 0;
    else if (sign_ == Sign::positive)
      to[i] = scale * table[std::bit_cast<std::uint8_t>(codes[i])];
    else
      to[i] = std::copysign(scale, codes[i]) * table[static_cast<std::size_t>(kMostSteps - 127 + std::abs(int(codes[i])))];
  }
}

void SmallMoments::store(std::size_t index, const float* from, std::size_t count, std::uint64_t key) {
  std::int8_t* codes = codes_.data() + index * kBlock;
  float scale = 0;
  for (std::size_t i = 0; i < count; ++i) scale = std::max(scale, std::abs(from[i]));
  scales_[index] = scale;
  for (std::size_t i = 0; i < count; ++i) {
    const float part = scale > 0 ? std::abs(from[i]) / scale : 0;
    const float chance = uniform(key, index * kBlock + i);
    if (part <= 0)
      codes[i] = 0;
    else if (sign_ == Sign::positive)
      codes[i] = std::bit_cast<std::int8_t>(static_cast<std::uint8_t>(std::max(1, step_of(part, kMostSteps, chance))));
    else
      codes[i] = static_cast<std::int8_t>(from[i] < 0 ? -step_of(part, 127, chance) : step_of(part, 127, chance));
  }
}

}  // namespace puna::tune
