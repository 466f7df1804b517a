#include "tune/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace puna::tune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Batch, lays_rows_end_to_end_with_positions_of_their_own) {
  const auto batch = lay_out(std::vector<TokenRow>{{{5, 6, 7}, {0, 0, 1}}, {{8, 9}, {1, 1}}});
  EXPECT_THAT(batch.tokens, ElementsAre(5, 6, 7, 8, 9));
  EXPECT_THAT(batch.positions, ElementsAre(0, 1, 2, 0, 1));
  EXPECT_EQ(batch.longest(), 3u);
}

TEST(Batch, trains_each_token_from_the_one_before_it_and_none_across_rows) {
  const auto batch = lay_out(std::vector<TokenRow>{{{5, 6, 7}, {1, 0, 0.5F}}, {{8, 9}, {1, 1}}});
  ASSERT_EQ(batch.trained.size(), 2u);
  EXPECT_EQ(batch.trained[0].token, 1u);
  EXPECT_EQ(batch.trained[0].next, 7);
  EXPECT_EQ(batch.trained[1].token, 3u);
  EXPECT_EQ(batch.trained[1].next, 9);
  EXPECT_EQ(batch.weight(), 1.5);
}

TEST(Batch, names_what_is_wrong_with_a_row) {
  EXPECT_TRUE(check_row({{1, 2}, {0, 1}}, 3));
  EXPECT_THAT(check_row({{}, {}}, 3).error().message, HasSubstr("no tokens"));
  EXPECT_THAT(check_row({{1, 3}, {0, 1}}, 3).error().message, HasSubstr("token 3"));
  EXPECT_THAT(check_row({{1, 2}, {0}}, 3).error().message, HasSubstr("1 weights for 2 tokens"));
  EXPECT_THAT(check_row({{1, 2}, {0, -1}}, 3).error().message, HasSubstr("-1"));
}

TEST(Pack, puts_every_row_in_one_bin_and_overfills_none) {
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < 500; ++i) lengths.push_back(1 + (i * i * 37) % 97 * (i % 7 == 0 ? 5 : 1));
  std::vector<int> seen(lengths.size());
  for (const auto& bin : pack(lengths, 512)) {
    std::size_t filled = 0;
    for (const auto row : bin) ++seen[row], filled += lengths[row];
    EXPECT_LE(filled, 512u);
  }
  EXPECT_THAT(seen, testing::Each(1));
}

TEST(Pack, fills_bins_of_a_long_tailed_set_to_95_percent) {
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < 1000; ++i) lengths.push_back(10 + 4000 / (1 + (i * 7919) % 211));
  for (auto& length : lengths) length = std::min<std::size_t>(length, 1024);
  const auto bins = pack(lengths, 1024);
  const auto total = std::accumulate(lengths.begin(), lengths.end(), 0UZ);
  EXPECT_GE(double(total) / double(bins.size() * 1024), 0.95);
}

TEST(Pack, leaves_a_row_that_is_too_long_alone) {
  EXPECT_THAT(pack(std::vector<std::size_t>{3, 20, 4}, 10), ElementsAre(ElementsAre(1), ElementsAre(2, 0)));
}

}  // namespace
}  // namespace puna::tune
