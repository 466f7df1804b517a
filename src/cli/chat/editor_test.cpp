#include "cli/chat/editor.h"

#include <gtest/gtest.h>

#include <csignal>

#include "cli/chat/slash.h"
#include "cli/terminal_testing.h"

namespace puna::cli {
namespace {

std::string_view name_of(Line::Kind kind) {
  switch (kind) {
    case Line::Kind::text:
      return "text";
    case Line::Kind::interrupted:
      return "interrupted";
    case Line::Kind::interrupted_empty:
      return "interrupted_empty";
    case Line::Kind::end:
      return "end";
  }
  return "";
}

// The child's part: reads lines and reports them until the end.
int edit_and_report(int report) {
  const auto interrupt = Interrupt::install();
  if (!interrupt) return 1;
  const auto editor = Editor::open(**interrupt, complete_slash_command);
  if (!editor) return 1;
  (*editor)->remember("typed before");
  while (true) {
    const auto line = (*editor)->read(">>> ");
    if (!line || !os::write_all(report, fmt::format("{}:{}", name_of(line->kind), line->text) + '\0')) return 1;
    if (line->kind == Line::Kind::end) return 0;
  }
}

class EditorInTerminal : public testing::Test {
 protected:
  void SetUp() override { child_.begin(); }

  std::string type(std::string_view keys) {
    EXPECT_TRUE(child_.shows(kEditorReady)) << child_.shown();
    child_.type(keys);
    return child_.next_report();
  }

  ChildInTerminal child_{edit_and_report};
};

TEST_F(EditorInTerminal, reads_a_line_with_editing_and_umlauts) {
  EXPECT_EQ(type("Grüßx\x7f e\r"), "text:Grüß e");
  EXPECT_EQ(type("abc\033[D\033[DX\r"), "text:aXbc");
}

TEST_F(EditorInTerminal, offers_what_was_typed_before) {
  EXPECT_EQ(type("\033[A\r"), "text:typed before");
}

TEST_F(EditorInTerminal, takes_a_paste_with_line_breaks_as_one_text) {
  EXPECT_EQ(type("see: \033[200~one\rtwo\tx\nthree\033[201~ ok\r"), "text:see: one\ntwo x\nthree ok");
}

TEST_F(EditorInTerminal, keeps_what_is_typed_ahead) {
  EXPECT_EQ(type("one\rtwo\r"), "text:one");
  EXPECT_EQ(child_.next_report(), "text:two");
}

TEST_F(EditorInTerminal, breaks_a_line_with_alt_enter) {
  EXPECT_EQ(type("one\033\rtwo\r"), "text:one\ntwo");
}

TEST_F(EditorInTerminal, completes_commands) {
  EXPECT_EQ(type("/cl\t\r"), "text:/clear");
}

TEST_F(EditorInTerminal, ctrl_c_tells_an_empty_line_from_one_that_was_begun) {
  ASSERT_TRUE(child_.shows(kEditorReady));
  child_.type("abc");
  ASSERT_TRUE(child_.shows("abc"));  // Ctrl-C makes the terminal forget what was not read yet
  child_.type("\x03");
  EXPECT_EQ(child_.next_report(), "interrupted:");
  EXPECT_EQ(type("\x03"), "interrupted_empty:");
  EXPECT_EQ(type("next\r"), "text:next");
}

TEST_F(EditorInTerminal, ends_with_ctrl_d) {
  EXPECT_EQ(type("\x04"), "end:");
}

TEST_F(EditorInTerminal, ends_when_the_process_is_asked_to) {
  ASSERT_TRUE(child_.shows(kEditorReady));
  child_.send_signal(SIGTERM);
  EXPECT_EQ(child_.next_report(), "end:");
}

}  // namespace
}  // namespace puna::cli
