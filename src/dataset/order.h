// The order in which an epoch takes its rows: a permutation that needs no memory and can be entered anywhere.
#pragma once

#include <array>
#include <cstdint>

namespace puna::dataset {

// at(0) … at(count - 1) are 0 … count - 1, shuffled: the same for the same seed, epoch and count, on every machine. A balanced Feistel
// network over the next power of four, walked until it falls below `count`.
class Shuffle {
 public:
  Shuffle(std::uint64_t seed, std::uint64_t epoch, std::uint64_t count);
  [[nodiscard]] std::uint64_t at(std::uint64_t index) const;
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_;
  unsigned half_bits_ = 1;
  std::array<std::uint64_t, 6> keys_{};
};

// A mix of 64 bits in which every bit of the input moves every bit of the output (SplitMix64's finaliser).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

}  // namespace puna::dataset
