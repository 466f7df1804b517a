#include "hub/transfer/piece_map.h"

#include <gtest/gtest.h>

namespace puna::hub::transfer {
namespace {

PieceMap map_of(std::uint64_t size) {
  PieceMap map(10);
  map.set_size(size);
  return map;
}

TEST(PieceMap, gives_out_pieces_in_order) {
  auto map = map_of(25);
  EXPECT_EQ(map.take(10)->span, (Span{0, 10}));
  EXPECT_EQ(map.take(10)->span, (Span{10, 20}));
  EXPECT_EQ(map.take(10)->span, (Span{20, 25}));
  EXPECT_FALSE(map.take(10));
}

TEST(PieceMap, a_stretch_may_be_several_pieces_but_never_what_is_here) {
  auto map = map_of(100);
  map.arrived({0, 13});
  map.arrived({50, 60});
  EXPECT_EQ(map.take(30)->span, (Span{13, 40}));
  EXPECT_EQ(map.take(30)->span, (Span{40, 50}));
  EXPECT_EQ(map.take(30)->span, (Span{60, 90}));
  EXPECT_EQ(map.unclaimed(), 10);
}

TEST(PieceMap, what_was_not_brought_is_missing_again) {
  auto map = map_of(20);
  const auto stretch = map.take(20).value();
  map.arrived({0, 7});
  map.give_back(stretch.id);
  EXPECT_EQ(map.take(10)->span, (Span{7, 10}));
}

TEST(PieceMap, the_tail_of_a_stretch_can_be_taken_over) {
  auto map = map_of(100);
  const auto slow = map.take(100).value();
  const auto fast = map.split(slow.id, 20, 10).value();
  EXPECT_EQ(fast.span, (Span{60, 100}));
  EXPECT_EQ(map.end_of(slow.id), 60);
  EXPECT_FALSE(map.split(slow.id, 45, 10)) << "too little is left";
  map.give_back(slow.id);
  EXPECT_EQ(map.take(100)->span, (Span{0, 60}));
}

TEST(PieceMap, is_complete_when_every_byte_is_here) {
  auto map = map_of(15);
  map.arrived({0, 15});
  EXPECT_TRUE(map.complete());
  map.lost({0, 10});
  EXPECT_FALSE(map.complete());
  EXPECT_EQ(map.take(10)->span, (Span{0, 10}));
  EXPECT_TRUE(map_of(0).complete());
}

TEST(PieceMap, begins_with_one_piece_while_the_size_is_unknown) {
  PieceMap map(10);
  EXPECT_EQ(map.take(100)->span, (Span{0, 10}));
  EXPECT_FALSE(map.take(100));
  EXPECT_FALSE(map.complete());
}

TEST(PieceMap, goes_on_behind_what_is_here_while_the_size_is_unknown) {
  PieceMap map(10);
  map.arrived({0, 25});
  EXPECT_EQ(map.take(100)->span, (Span{25, 30}));
}

}  // namespace
}  // namespace puna::hub::transfer
