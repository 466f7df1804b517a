#include "hub/transfer/span_set.h"

#include <gtest/gtest.h>

#include <bitset>
#include <random>

namespace puna::hub::transfer {
namespace {

TEST(SpanSet, spans_that_touch_become_one) {
  SpanSet set;
  set.add({10, 20});
  set.add({30, 40});
  set.add({20, 30});
  EXPECT_EQ(set.text(), "10-40");
  EXPECT_EQ(set.total(), 30);
}

TEST(SpanSet, a_span_can_be_cut_out_of_another) {
  SpanSet set;
  set.add({0, 100});
  set.remove({40, 60});
  EXPECT_EQ(set.text(), "0-40,60-100");
  EXPECT_EQ(set.prefix(), 40);
  EXPECT_TRUE(set.contains({60, 100}));
  EXPECT_FALSE(set.contains({39, 41}));
}

TEST(SpanSet, gaps_are_found_in_order) {
  SpanSet set;
  set.add({0, 10});
  set.add({20, 30});
  EXPECT_EQ(set.first_gap({0, 40}), (Span{10, 20}));
  EXPECT_EQ(set.first_gap({15, 40}), (Span{15, 20}));
  EXPECT_EQ(set.first_gap({20, 40}), (Span{30, 40}));
  EXPECT_EQ(set.first_gap({20, 30}), std::nullopt);
}

TEST(SpanSet, reads_only_what_it_writes) {
  SpanSet set;
  set.add({0, 5});
  set.add({7, 9});
  EXPECT_EQ(SpanSet::parse(set.text()), set);
  EXPECT_EQ(SpanSet::parse(""), SpanSet());
  for (const auto* text : {"5-5", "1-2,", "1-2 ,3-4", "3-4,1-2", "0-5,5-6", "x", "1", "-1-2", "1-99999999999999999999"})
    EXPECT_EQ(SpanSet::parse(text), std::nullopt) << text;
}

TEST(SpanSet, agrees_with_a_row_of_bits_whatever_is_done) {
  std::minstd_rand dice(7);
  SpanSet set;
  std::bitset<64> bits;
  for (int i = 0; i < 5000; ++i) {
    const Span span{dice() % 64, dice() % 65};
    const bool adds = dice() % 2 == 0;
    adds ? set.add(span) : set.remove(span);
    for (auto at = span.from; at < span.to; ++at) bits.set(at, adds);
    ASSERT_EQ(set.total(), bits.count());
    for (std::uint64_t at = 0; at < 64; ++at) ASSERT_EQ(set.contains({at, at + 1}), bits.test(at));
  }
}

}  // namespace
}  // namespace puna::hub::transfer
