// Random numbers by place instead of by order: the number for (key, index) is the same whoever asks, whenever. So a recomputed dropout is
// the one that was, and resuming needs no state.
#pragma once

#include <cstddef>
#include <cstdint>

namespace puna::tune {

// SplitMix64's mixing (S. Vigna, 2015): a bijection of 64 bits that passes the usual tests on counters.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}
[[nodiscard]] constexpr std::uint64_t derive(std::uint64_t key, std::uint64_t part) {
  return mix(key ^ mix(part));
}
// In [0, 1), of 24 bits.
[[nodiscard]] constexpr float uniform(std::uint64_t key, std::uint64_t index) {
  return static_cast<float>(mix(key + index * 0xD1342543DE82EF95ULL) >> 40) * 0x1p-24F;
}

}  // namespace puna::tune
