#include "cli/chat/answer.h"

#include <gtest/gtest.h>

#include "cli/cli_testing.h"

namespace puna::cli {
namespace {

struct Shown : Captured {
  explicit Shown(ScreenTraits traits, AnswerView::Manner manner = {}) : console(capturing_console(*this, traits)), view(console, manner) {}
  Console console;
  AnswerView view;
};
const ScreenTraits kTerminal{.terminal = true, .width = 20};

TEST(AnswerView, data_for_a_pipe_is_untouched_and_ends_its_line) {
  Shown shown({});
  shown.view.take({.content = "a\033[31mb"});
  shown.view.take({.content = "\r\nc"});
  shown.view.finish();
  EXPECT_EQ(shown.out, "a\033[31mb\r\nc\n");
}

TEST(AnswerView, a_terminal_gets_no_control_characters_and_whole_words) {
  Shown shown(kTerminal);
  shown.view.take({.content = "a\033[31m very long word"});
  shown.view.take({.content = "s here"});
  shown.view.finish();
  EXPECT_EQ(shown.out, "a\uFFFD[31m very long\nwords here\n");
}

TEST(AnswerView, a_character_cut_in_two_is_shown_when_it_is_whole) {
  Shown shown(kTerminal);
  shown.view.take({.content = "\xC3"});
  shown.view.take({.content = "\xBC"});
  shown.view.finish();
  EXPECT_EQ(shown.out, "ü\n");
}

TEST(AnswerView, thoughts_stand_apart_from_the_answer) {
  Shown shown(kTerminal);
  shown.view.take({.reasoning = "hm, well"});
  shown.view.take({.content = "\n\nYes."});
  shown.view.finish();
  EXPECT_EQ(shown.out, "hm, well\n\nYes.\n");
  EXPECT_EQ(shown.view.content(), "Yes.");
  EXPECT_EQ(shown.view.reasoning(), "hm, well");
}

TEST(AnswerView, thoughts_are_no_data) {
  Shown shown({});
  shown.view.take({.reasoning = "hm"});
  shown.view.take({.content = "Yes."});
  shown.view.finish();
  EXPECT_EQ(shown.out, "Yes.\n");
  EXPECT_EQ(shown.err, "");
}

TEST(AnswerView, thoughts_can_be_hidden) {
  Shown shown(kTerminal, {.thinking = Thinking::hidden});
  shown.view.take({.reasoning = "hm"});
  shown.view.take({.content = "Yes."});
  shown.view.finish();
  EXPECT_EQ(shown.out, "Yes.\n");
}

TEST(AnswerView, progress_makes_room_for_the_first_word) {
  Shown shown({.terminal = true, .width = 43});
  shown.view.loading({.name = "m", .load_progress = 0.5});
  shown.view.take({.content = "Yes."});
  shown.view.finish();
  EXPECT_EQ(shown.err, "\rloading m  50% ▕███████████▌           ▏\033[K\r\033[K");
  EXPECT_EQ(shown.out, "Yes.\n");
}

TEST(AnswerView, an_answer_without_words_leaves_no_line) {
  Shown shown({});
  shown.view.finish();
  EXPECT_EQ(shown.out, "");
}

}  // namespace
}  // namespace puna::cli
