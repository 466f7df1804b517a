#include "tune/small_moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tune/arithmetic/random.h"

namespace puna::tune {
namespace {

std::vector<float> kept(const std::vector<float>& values, SmallMoments::Sign sign, std::uint64_t key = 1) {
  SmallMoments moments(values.size(), sign);
  moments.store(0, values.data(), values.size(), key);
  std::vector<float> out(values.size());
  moments.load(0, out.data(), values.size());
  return out;
}

TEST(SmallMoments, keep_every_size_within_a_tenth_of_itself) {
  for (const auto sign : {SmallMoments::Sign::any, SmallMoments::Sign::positive}) {
    std::vector<float> values;
    for (int i = 0; i < 200; ++i) values.push_back(3 * std::exp2(-15 * uniform(1, static_cast<std::uint64_t>(i))));
    if (sign == SmallMoments::Sign::any)
      for (std::size_t i = 0; i < values.size(); i += 2) values[i] = -values[i];
    const auto back = kept(values, sign);
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(back[i] / values[i], 1, 0.1);
  }
}

TEST(SmallMoments, are_right_on_average) {
  const std::vector<float> values = {1, 0.7F, -0.03F, 1e-6F};
  std::vector<double> sums(values.size());
  constexpr std::uint64_t kTimes = 20000;
  for (std::uint64_t key = 0; key < kTimes; ++key) {
    const auto back = kept(values, SmallMoments::Sign::any, key);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += double(back[i]) / kTimes;
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(sums[i] / values[i], 1, 2e-3);
  EXPECT_NEAR(sums[3] / values[3], 1, 0.2);
}

TEST(SmallMoments, of_one_sign_never_become_zero_but_from_zero) {
  const auto back = kept({1, 1e-30F, 0}, SmallMoments::Sign::positive);
  EXPECT_GT(back[1], 0);
  EXPECT_EQ(back[2], 0);
}

TEST(SmallMoments, of_nothing_are_nothing) {
  EXPECT_EQ(kept({0, 0}, SmallMoments::Sign::any), (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace puna::tune
