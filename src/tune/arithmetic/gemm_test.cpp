#include "tune/arithmetic/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tune/arithmetic/random.h"
#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

std::vector<float> numbers(std::size_t count, std::uint64_t key) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = 2 * uniform(key, i) - 1;
  return out;
}

enum class Side : bool { rows, columns };

struct Case {
  Product size;
  Side a = Side::rows;
  Side b = Side::rows;
  std::size_t gap = 0;  // between the rows of the result

  [[nodiscard]] std::vector<float> compute(std::size_t threads) const {
    const auto left = numbers(size.rows * size.depth, 1);
    const auto right = numbers(size.depth * size.columns, 2);
    auto out = numbers(size.rows * (size.columns + gap), 3);
    Team team(threads);
    multiply(team, size, matrix(left, a, size.rows, size.depth), matrix(right, b, size.depth, size.columns), out.data(),
             size.columns + gap);
    return out;
  }
  // In 64 bits, and the largest difference to it relative to the sum of the sizes.
  [[nodiscard]] double error() const {
    const auto left = numbers(size.rows * size.depth, 1);
    const auto right = numbers(size.depth * size.columns, 2);
    const auto before = numbers(size.rows * (size.columns + gap), 3);
    const auto out = compute(2);
    const Matrix at_left = matrix(left, a, size.rows, size.depth);
    const Matrix at_right = matrix(right, b, size.depth, size.columns);
    double worst = 0;
    for (std::size_t i = 0; i < size.rows; ++i) {
      for (std::size_t j = 0; j < size.columns + gap; ++j) {
        const std::size_t at = i * (size.columns + gap) + j;
        double sum = 0;
        for (std::size_t k = 0; j < size.columns && k < size.depth; ++k)
          sum += double(at_left.data[i * at_left.row + k * at_left.column]) * at_right.data[k * at_right.row + j * at_right.column];
        const double wanted = j < size.columns ? size.alpha * sum + size.beta * double(before[at]) : double(before[at]);
        worst = std::max(worst, std::abs(out[at] - wanted) / (1 + double(size.depth)));
      }
    }
    return worst;
  }

 private:
  static Matrix matrix(const std::vector<float>& data, Side side, std::size_t rows, std::size_t columns) {
    return side == Side::rows ? rows_of(data.data(), columns) : rows_of(data.data(), rows).transposed();
  }
};

// Sizes around the tiles' and blocks', thin ones on each side, and ones that are none of these.
constexpr std::size_t kSizes[] = {1, 5, 14, 17, 33, 49, 100};

// With the vectors of every width that this CPU has.
class GemmOfWidth : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(All, GemmOfWidth, testing::Values(4, 8, 16));

TEST_P(GemmOfWidth, multiplies_any_sizes_in_any_order) {
  const auto* kernels = kernels_of_width(GetParam());
  if (kernels == nullptr) GTEST_SKIP() << "this CPU has no such vectors";
  for (const auto rows : kSizes)
    for (const auto columns : kSizes)
      for (const auto a : {Side::rows, Side::columns})
        for (const auto b : {Side::rows, Side::columns}) {
          const Case one{{rows, columns, 37, 0.5F, 1.5F, Precision::f32, kernels}, a, b, 3};
          ASSERT_LT(one.error(), 1e-6) << rows << " x " << columns;
        }
}

TEST(Gemm, sums_over_more_than_one_block) {
  for (const auto a : {Side::rows, Side::columns})
    for (const auto b : {Side::rows, Side::columns}) {
      EXPECT_LT((Case{{200, 70, 1100}, a, b}.error()), 1e-6);
      EXPECT_LT((Case{{20, 70, 1100, 2, 1}, a, b}.error()), 1e-6);
      EXPECT_LT((Case{{70, 20, 1100, 2, 1}, a, b}.error()), 1e-6);
    }
}

TEST(Gemm, rounds_to_bfloat16_when_told_to_and_no_more_than_that) {
  if (!can_multiply(Precision::bf16)) GTEST_SKIP() << "this CPU has no instruction for it";
  for (const auto a : {Side::rows, Side::columns})
    for (const auto b : {Side::rows, Side::columns})
      for (const auto& size : {Product{200, 70, 1101, 0.5F, 1}, Product{100, 100, 1}, Product{61, 131, 37}, Product{400, 64, 2100}}) {
        Case one{size, a, b, 3};
        one.size.precision = Precision::bf16;
        const auto rounded = one.compute(2);
        EXPECT_EQ(rounded, one.compute(3));
        one.size.precision = Precision::f32;
        const auto whole = one.compute(2);
        EXPECT_NE(rounded, whole);
        EXPECT_LT(relative_distance(rounded, whole), 4e-3) << size.rows << " x " << size.columns << " x " << size.depth;
      }
}

TEST(Gemm, overwrites_what_was_no_number) {
  const float one = 1;
  float out = std::nanf("");
  Team team(1);
  multiply(team, {1, 1, 1}, rows_of(&one, 1), rows_of(&one, 1), &out, 1);
  EXPECT_EQ(out, 1);
}

TEST(Gemm, gives_the_same_bits_to_any_number_of_threads) {
  for (const auto a : {Side::rows, Side::columns})
    for (const auto& size : {Product{400, 300, 700}, Product{16, 300, 700}, Product{300, 16, 700}, Product{20, 500, 60}}) {
      const Case one{size, a, Side::rows};
      EXPECT_EQ(one.compute(1), one.compute(4));
    }
}

}  // namespace
}  // namespace puna::tune
