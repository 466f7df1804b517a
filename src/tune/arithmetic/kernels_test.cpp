#include "tune/arithmetic/kernels.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "tune/arithmetic/random.h"

namespace puna::tune {
namespace {

constexpr std::size_t kCounts[] = {1, 3, 4, 7, 8, 16, 31, 64, 100};

std::vector<float> numbers(std::size_t count, std::uint64_t key, float bound = 4) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = bound * (2 * uniform(key, i) - 1);
  return out;
}

// Each test runs for every width of vector that this CPU has.
class KernelsOfWidth : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (kernels_of_width(GetParam()) == nullptr) GTEST_SKIP() << "this CPU has no such vectors";
  }
  const Kernels& kernel() const { return *kernels_of_width(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(All, KernelsOfWidth, testing::Values(4, 8, 16));

TEST_P(KernelsOfWidth, exponentials_are_right_to_a_few_units_in_the_last_place) {
  for (const auto count : kCounts) {
    const auto from = numbers(count, count, 80);
    std::vector<float> to(count);
    double sum = 0;
    const float told = kernel().exponentials(to.data(), from.data(), 0.5F, 1.0F, count);
    for (std::size_t i = 0; i < count; ++i) {
      const double wanted = std::exp(0.5 * double(from[i]) - 1.0);
      ASSERT_NEAR(to[i] / wanted, 1, 4e-6) << from[i];  // the argument itself is rounded to 2^-20 of its size
      sum += to[i];
    }
    EXPECT_NEAR(told / sum, 1, 1e-5);
  }
}

TEST_P(KernelsOfWidth, exponentials_of_extremes_are_numbers) {
  const std::vector<float> from = {-1e30F, -200, 0, 88};
  std::vector<float> to(4);
  EXPECT_GT(kernel().exponentials(to.data(), from.data(), 1, 0, 4), 1e38F);
  EXPECT_LT(to[0], 1e-37F);
  EXPECT_EQ(to[2], 1);
  EXPECT_TRUE(std::isfinite(to[3]));
}

TEST_P(KernelsOfWidth, geglu_and_its_derivative) {
  const auto gelu = [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); };
  for (const auto count : kCounts) {
    const auto gate = numbers(count, 1);
    const auto up = numbers(count, 2);
    const auto d = numbers(count, 3);
    std::vector<float> act(count), d_gate(count), d_up(count);
    kernel().geglu(act.data(), gate.data(), up.data(), count);
    kernel().geglu_back(d_gate.data(), d_up.data(), d.data(), gate.data(), up.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
      constexpr double kStep = 1e-5;
      const double slope = (gelu(gate[i] + kStep) - gelu(gate[i] - kStep)) / (2 * kStep);
      EXPECT_NEAR(act[i], gelu(gate[i]) * up[i], 4e-6);
      EXPECT_NEAR(d_gate[i], double(d[i]) * up[i] * slope, 1e-5);
      EXPECT_NEAR(d_up[i], double(d[i]) * gelu(gate[i]), 4e-6);
    }
  }
}

TEST_P(KernelsOfWidth, soft_cap_and_its_derivative) {
  for (const auto count : kCounts) {
    const auto from = numbers(count, 1, 60);
    std::vector<float> to(count);
    auto d = numbers(count, 2);
    const auto d_before = d;
    kernel().soft_cap(to.data(), from.data(), 0.5F, 30, count);
    kernel().soft_cap_back(d.data(), to.data(), 0.5F, 30, count);
    for (std::size_t i = 0; i < count; ++i) {
      const double wanted = 30 * std::tanh(0.5 * from[i] / 30);
      EXPECT_NEAR(to[i] / wanted, 1, 1e-6) << from[i];
      EXPECT_NEAR(d[i], 0.5 * (1 - wanted * wanted / 900) * d_before[i], 2e-6);
    }
  }
}

TEST_P(KernelsOfWidth, swiglu_and_its_derivative) {
  for (const auto count : kCounts) {
    const auto gate = numbers(count, 1);
    const auto up = numbers(count, 2);
    const auto d = numbers(count, 3);
    std::vector<float> act(count), d_gate(count), d_up(count);
    kernel().swiglu(act.data(), gate.data(), up.data(), count);
    kernel().swiglu_back(d_gate.data(), d_up.data(), d.data(), gate.data(), up.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto silu = [](double x) { return x / (1 + std::exp(-x)); };
      const double slope = (silu(gate[i] + 1e-4) - silu(gate[i] - 1e-4)) / 2e-4;
      ASSERT_NEAR(act[i], silu(gate[i]) * up[i], 1e-5);
      ASSERT_NEAR(d_gate[i], d[i] * up[i] * slope, 1e-4);
      ASSERT_NEAR(d_up[i], d[i] * silu(gate[i]), 1e-5);
    }
  }
}

TEST_P(KernelsOfWidth, sums_and_largest_see_every_number) {
  for (const auto count : kCounts) {
    auto values = numbers(count, 5);
    EXPECT_EQ(kernel().largest(values.data(), count), *std::ranges::max_element(values));
    double wanted = 0;
    for (const float value : values) wanted += double(value) * value;
    EXPECT_NEAR(kernel().dot(values.data(), values.data(), count), wanted, 1e-4 * (1 + wanted));
  }
}

TEST_P(KernelsOfWidth, packs_any_number_of_rows_and_fills_with_zeros) {
  for (const std::size_t count : {1UZ, 5UZ, 14UZ}) {
    const std::size_t steps = 37;
    const std::size_t lanes = 14;
    const auto from = numbers(count * 40, 6);
    std::vector<float> to(steps * lanes + kernel().width, -1);
    kernel().pack(from.data(), 40, count, steps, to.data(), lanes);
    for (std::size_t k = 0; k < steps; ++k)
      for (std::size_t i = 0; i < lanes; ++i) ASSERT_EQ(to[k * lanes + i], i < count ? from[i * 40 + k] : 0) << i << ", " << k;
  }
}

// The value of the lower or the upper half of a pair.
float half_of(float pair, bool odd) {
  const auto bits = std::bit_cast<std::uint32_t>(pair);
  return std::bit_cast<float>(odd ? bits & 0xFFFF0000U : bits << 16);
}

TEST_P(KernelsOfWidth, packs_pairs_rounded_to_bfloat16) {
  for (const std::size_t steps : {1UZ, 2UZ, 37UZ, 64UZ, 101UZ}) {
    const std::size_t lanes = 14;
    const auto from = numbers(9 * 101, 6);
    std::vector<float> to((steps + 1) / 2 * lanes + kernel().width, 1);
    kernel().pack_pairs(from.data(), 101, 9, steps, to.data(), lanes);
    for (std::size_t k = 0; k < (steps + 1) / 2 * 2; ++k)
      for (std::size_t i = 0; i < lanes; ++i) {
        const float wanted = i < 9 && k < steps ? from[i * 101 + k] : 0;
        ASSERT_NEAR(half_of(to[k / 2 * lanes + i], k % 2 == 1), wanted, std::abs(wanted) / 256) << i << ", " << k;
      }
  }
}

TEST_P(KernelsOfWidth, pairs_rows_rounded_to_bfloat16) {
  const auto even = numbers(19, 1);
  const auto odd = numbers(19, 2);
  std::vector<float> to(23, 1);
  kernel().pair_rows(even.data(), odd.data(), 19, to.data(), 23);
  for (std::size_t i = 0; i < 19; ++i) {
    ASSERT_NEAR(half_of(to[i], false), even[i], std::abs(even[i]) / 256);
    ASSERT_NEAR(half_of(to[i], true), odd[i], std::abs(odd[i]) / 256);
  }
  EXPECT_EQ(to[19], 0);
  EXPECT_EQ(to[22], 0);
}

TEST_P(KernelsOfWidth, widens_half_precision_exactly) {
  const std::vector<std::uint16_t> halves = {0x0000, 0x3C00, 0xC000, 0x7BFF, 0x0001, 0x3555, 0x8400};
  const std::vector<float> wanted = {0, 1, -2, 65504, 0x1p-24F, 0.333251953125F, -0x1p-14F};
  std::vector<float> to(halves.size());
  kernel().from_f16(to.data(), halves.data(), halves.size());
  EXPECT_EQ(to, wanted);
}

}  // namespace
}  // namespace puna::tune
