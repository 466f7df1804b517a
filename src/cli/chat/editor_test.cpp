#include "cli/chat/editor.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/chat/slash.h"

namespace puna::cli {
namespace {

constexpr std::string_view kPrompt = ">>> ";
constexpr std::string_view kReady = "\033[?2004h";  // from here on the terminal has the editor's modes

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

// The child's part: reads lines and reports them on a pipe until the end.
[[noreturn]] void edit_and_report(int report) {
  const auto interrupt = Interrupt::install();
  const auto editor = Editor::open(**interrupt, complete_slash_command);
  if (!editor) ::_exit(1);
  (*editor)->remember("typed before");
  while (true) {
    const auto line = (*editor)->read(kPrompt);
    if (!line || !os::write_all(report, fmt::format("{}:{}", name_of(line->kind), line->text) + '\0')) ::_exit(1);
    if (line->kind == Line::Kind::end) ::_exit(0);
  }
}

// An editor in a terminal of its own, driven by keys.
class EditorInTerminal : public testing::Test {
 protected:
  void SetUp() override {
    auto report = os::make_pipe();
    ASSERT_TRUE(report);
    winsize size{.ws_row = 24, .ws_col = 80};
    int terminal = -1;
    child_ = ::forkpty(&terminal, nullptr, nullptr, &size);
    ASSERT_GE(child_, 0);
    if (child_ == 0) {
      ::setenv("TERM", "xterm", 1);
      edit_and_report(report->write.get());
    }
    terminal_ = os::UniqueFd(terminal);
    report_ = std::move(report->read);
  }

  void TearDown() override {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  // Types once the editor is ready, and returns what was read.
  std::string type(std::string_view keys) {
    EXPECT_TRUE(wait_for(kReady)) << printable(shown_);
    shown_.clear();
    EXPECT_TRUE(os::write_all(terminal_.get(), keys));
    return next_report();
  }

  bool wait_for(std::string_view text) {
    while (!shown_.contains(text))
      if (!pump()) return false;
    return true;
  }

  std::string next_report() {
    while (!reported_.contains('\0'))
      if (!pump()) return "nothing came; the terminal shows " + printable(shown_);
    const std::string line = reported_.substr(0, reported_.find('\0'));
    reported_.erase(0, line.size() + 1);
    return line;
  }

  // Takes what comes from either side; false when nothing does for ten seconds.
  bool pump() {
    constexpr int kPatience = 10'000;
    std::array<pollfd, 2> watched{pollfd{terminal_.get(), POLLIN, 0}, pollfd{report_.get(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), kPatience) <= 0) return false;
    std::array<char, 4096> buffer;
    const bool from_terminal = watched[0].revents != 0;
    const ssize_t count = ::read(watched[from_terminal ? 0 : 1].fd, buffer.data(), buffer.size());
    if (count > 0) (from_terminal ? shown_ : reported_).append(buffer.data(), static_cast<std::size_t>(count));
    if (count <= 0 && from_terminal) terminal_.reset();  // the child has ended, and its report may still be on its way
    return count > 0 || from_terminal;
  }

  pid_t child_ = -1;
  os::UniqueFd terminal_;
  os::UniqueFd report_;
  std::string shown_;
  std::string reported_;
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

TEST_F(EditorInTerminal, breaks_a_line_with_alt_enter) {
  EXPECT_EQ(type("one\033\rtwo\r"), "text:one\ntwo");
}

TEST_F(EditorInTerminal, completes_commands) {
  EXPECT_EQ(type("/cl\t\r"), "text:/clear");
}

TEST_F(EditorInTerminal, ctrl_c_tells_an_empty_line_from_one_that_was_begun) {
  ASSERT_TRUE(wait_for(kReady));
  ASSERT_TRUE(os::write_all(terminal_.get(), "abc"));
  ASSERT_TRUE(wait_for("abc"));  // Ctrl-C makes the terminal forget what was not read yet
  ASSERT_TRUE(os::write_all(terminal_.get(), "\x03"));
  EXPECT_EQ(next_report(), "interrupted:");
  EXPECT_EQ(type("\x03"), "interrupted_empty:");
  EXPECT_EQ(type("next\r"), "text:next");
}

TEST_F(EditorInTerminal, ends_with_ctrl_d) {
  EXPECT_EQ(type("\x04"), "end:");
}

TEST_F(EditorInTerminal, ends_when_the_process_is_asked_to) {
  ASSERT_TRUE(wait_for(kReady));
  ASSERT_EQ(::kill(child_, SIGTERM), 0);
  EXPECT_EQ(next_report(), "end:");
}

}  // namespace
}  // namespace puna::cli
