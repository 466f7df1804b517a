// Moments of gradients in one byte each: T. Dettmers et al., "8-bit Optimizers via Block-wise Quantization" (2022), with two changes. The
// bytes are steps of a logarithm, so that the relative error is the same for large and small numbers. And rounding is by chance, right on
// average: a second moment moves by a thousandth a step, which rounding to the nearest would lose for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace puna::tune {

class SmallMoments {
 public:
  static constexpr std::size_t kBlock = 256;  // numbers that share one 32-bit scale

  enum class Sign : std::uint8_t {
    any,       // 127 steps of 1/8 of a power of two on either side, and zero
    positive,  // 255 steps of 1/8 of a power of two: nothing above zero ever becomes zero
  };
  SmallMoments() = default;
  SmallMoments(std::size_t count, Sign sign);

  // Block `index` as numbers, and back; `count` is kBlock but for the last. The same key rounds the same way.
  void load(std::size_t index, float* to, std::size_t count) const;
  void store(std::size_t index, const float* from, std::size_t count, std::uint64_t key);

  [[nodiscard]] std::span<std::int8_t> codes() { return codes_; }
  [[nodiscard]] std::span<float> scales() { return scales_; }
  [[nodiscard]] static std::size_t bytes(std::size_t count) { return count + (count + kBlock - 1) / kBlock * sizeof(float); }

 private:
  Sign sign_ = Sign::any;
  std::vector<std::int8_t> codes_;
  std::vector<float> scales_;  // the largest size in each block
};

}  // namespace puna::tune
