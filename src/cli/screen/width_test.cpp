#include "cli/screen/width.h"

#include <gtest/gtest.h>

namespace puna::cli {
namespace {

TEST(DisplayWidth, counts_columns_and_not_bytes) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("Grüße"), 5u);
  EXPECT_EQ(display_width("日本"), 4u);
  EXPECT_EQ(display_width("e\u0301"), 1u);
  EXPECT_EQ(display_width("\xff"), 1u);
}

TEST(Shorten, never_exceeds_the_width_and_never_cuts_a_character) {
  EXPECT_EQ(shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten("abcdef", 4), "abc…");
  EXPECT_EQ(shorten("日本語", 4), "日…");
  EXPECT_EQ(shorten("abc", 0), "");
}

TEST(Fill, breaks_between_words_and_keeps_paragraphs) {
  EXPECT_EQ(fill("one two three\n\nfour", 9), "one two\nthree\n\nfour\n");
  EXPECT_EQ(fill("one two", 5, 1), " one\n two\n");
  EXPECT_EQ(fill("incomprehensible", 5), "incomprehensible\n");
}

}  // namespace
}  // namespace puna::cli
