#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/id.h"

namespace puna {
namespace {

TEST(Text, nearest_finds_what_was_meant_and_nothing_far) {
  const std::vector<std::string> known = {"smollm2:135m", "qwen3:8b", "llama3:latest"};
  EXPECT_THAT(nearest("smolm2:135m", known), testing::ElementsAre("smollm2:135m"));
  EXPECT_THAT(nearest("qwen3", known), testing::ElementsAre("qwen3:8b"));
  EXPECT_THAT(nearest("zzzz", known), testing::IsEmpty());
  EXPECT_THAT(nearest("", known), testing::IsEmpty());
}

TEST(Text, swapped_neighbours_count_as_one_edit) {
  EXPECT_EQ(edit_distance("serve", "sevre"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

TEST(Text, utf8_is_checked_strictly) {
  EXPECT_TRUE(is_utf8("aä€😀"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(is_utf8("\xE2\x82"));
}

TEST(Text, a_character_cut_by_a_stream_is_held_back) {
  EXPECT_EQ(utf8_complete_prefix("ab\xE2\x82"), 2u);
  EXPECT_EQ(utf8_complete_prefix("ab\xE2\x82\xAC"), 5u);
  EXPECT_EQ(utf8_complete_prefix(""), 0u);
}

TEST(Text, foreign_text_cannot_move_the_cursor) {
  EXPECT_EQ(printable("a\x1b[2Jb\x9b"), "a\uFFFD[2Jb\uFFFD");
  EXPECT_EQ(printable("c\xC2\x9B"
                      "1A"),
            "c\uFFFD1A");
  EXPECT_EQ(printable("line\n\ttab"), "line\n\ttab");
}

TEST(Text, printable_text_is_utf8_whatever_it_was) {
  EXPECT_EQ(printable("\xff\xc0\xaf ü 模\xe6"), "\uFFFD\uFFFD\uFFFD ü 模\uFFFD");
}

TEST(Text, split_and_join_are_inverse) {
  const auto parts = split(",a,,b", ',');
  const std::vector<std::string> texts(parts.begin(), parts.end());
  EXPECT_EQ(join(texts, ","), ",a,,b");
  EXPECT_EQ(trim(" \t x y \n"), "x y");
}

TEST(Id, ulids_are_unique_and_begin_with_the_time) {
  const auto a = new_ulid(), b = new_ulid();
  EXPECT_EQ(a.size(), 26u);
  EXPECT_NE(a, b);
  EXPECT_EQ(a.substr(0, 7), b.substr(0, 7));
}

TEST(Clock, a_manual_clock_moves_only_when_told) {
  ManualClock clock;
  const auto before = clock.monotonic();
  clock.advance(std::chrono::milliseconds(1500));
  EXPECT_EQ(clock.monotonic() - before, std::chrono::milliseconds(1500));
  EXPECT_EQ(format_time(WallTime(std::chrono::milliseconds(1'700'000'000'250))), "2023-11-14T22:13:20.250Z");
  EXPECT_EQ(parse_time("2023-11-14T22:13:20.250Z"), WallTime(std::chrono::milliseconds(1'700'000'000'250)));
  EXPECT_FALSE(parse_time("yesterday"));
}

}  // namespace
}  // namespace puna
