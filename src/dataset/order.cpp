#include "dataset/order.h"

#include <bit>

namespace puna::dataset {

Shuffle::Shuffle(std::uint64_t seed, std::uint64_t epoch, std::uint64_t count) : count_(count) {
  if (count > 1) half_bits_ = (static_cast<unsigned>(std::bit_width(count - 1)) + 1) / 2;
  std::uint64_t state = mix(seed) ^ mix(~epoch);
  for (auto& key : keys_) key = state = mix(state);
}

std::uint64_t Shuffle::at(std::uint64_t index) const {
  if (count_ < 2) return index;
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  do {
    std::uint64_t left = index >> half_bits_, right = index & mask;
    for (const auto key : keys_) {
      const std::uint64_t next = left ^ (mix(right ^ key) & mask);
      left = right;
      right = next;
    }
    index = left << half_bits_ | right;
  } while (index >= count_);
  return index;
}

}  // namespace puna::dataset
