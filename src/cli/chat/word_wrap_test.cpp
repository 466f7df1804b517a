#include "cli/chat/word_wrap.h"

#include <gtest/gtest.h>

namespace puna::cli {
namespace {

// Fed byte by byte where characters allow it, since streams are cut anywhere between characters.
std::string wrapped(std::string_view text, std::size_t width) {
  WordWrap wrap([width] { return width; });
  std::string out;
  for (const char c : text) out += wrap.feed({&c, 1});
  return out + wrap.finish();
}

TEST(WordWrap, breaks_between_words) {
  EXPECT_EQ(wrapped("one two three", 8), "one two\nthree");
  EXPECT_EQ(wrapped("one two three", 13), "one two three");
}

TEST(WordWrap, keeps_the_texts_own_breaks_and_indents) {
  EXPECT_EQ(wrapped("a\n\n  b c", 20), "a\n\n  b c");
}

TEST(WordWrap, leaves_a_word_longer_than_the_line_alone) {
  EXPECT_EQ(wrapped("see https://example.com/x ok", 10), "see\nhttps://example.com/x\nok");
}

TEST(WordWrap, breaks_east_asian_text_anywhere) {
  WordWrap wrap([] { return std::size_t{4}; });
  EXPECT_EQ(wrap.feed("日本語") + wrap.finish(), "日本\n語");
}

TEST(WordWrap, holds_back_only_the_word_that_has_not_ended) {
  WordWrap wrap([] { return std::size_t{80}; });
  EXPECT_EQ(wrap.feed("Hello wor"), "Hello");
  EXPECT_EQ(wrap.feed("ld "), " world");
}

}  // namespace
}  // namespace puna::cli
