#include "cli/terminal_testing.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/text.h"

namespace puna::cli {

ChildInTerminal::ChildInTerminal(const std::function<int(int report)>& body) {
  auto gate = os::make_pipe().value();
  auto report = os::make_pipe().value();
  const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  child_ = ::forkpty(&terminal, nullptr, nullptr, &size);
  EXPECT_GE(child_, 0);
  if (child_ == 0) {
    ::setenv("TERM", "xterm", 1);
    gate.write.reset();
    char go = 0;
    const ssize_t count = ::read(gate.read.get(), &go, 1);
    ::_exit(count == 1 ? body(report.write.get()) : 1);
  }
  terminal_ = os::UniqueFd(terminal);
  gate_ = std::move(gate.write);
  report_ = std::move(report.read);
}

ChildInTerminal::~ChildInTerminal() {
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

void ChildInTerminal::begin() {
  EXPECT_TRUE(os::write_all(gate_.get(), "g"));
}

void ChildInTerminal::type(std::string_view keys) {
  EXPECT_TRUE(os::write_all(terminal_.get(), keys));
}

void ChildInTerminal::send_signal(int signal) {
  EXPECT_EQ(::kill(child_, signal), 0);
}

bool ChildInTerminal::shows(std::string_view text) {
  while (!shown_.contains(text))
    if (!pump()) return false;
  shown_.erase(0, shown_.find(text) + text.size());
  return true;
}

std::string ChildInTerminal::next_report() {
  while (!reported_.contains('\0'))
    if (!pump()) return "nothing came; the terminal shows " + shown();
  const std::string line = reported_.substr(0, reported_.find('\0'));
  reported_.erase(0, line.size() + 1);
  return line;
}

std::string ChildInTerminal::shown() const {
  return printable(shown_);
}

int ChildInTerminal::exit_code() {
  while (terminal_)
    if (!pump()) return -1;
  int status = 0;
  if (::waitpid(std::exchange(child_, -1), &status, 0) < 0) return -1;
  if (!WIFEXITED(status)) ADD_FAILURE() << "signal " << WTERMSIG(status) << "; the terminal shows " << shown();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Takes what comes from either side. False when nothing does for ten seconds, or never will.
bool ChildInTerminal::pump() {
  constexpr int kPatience = 10'000;
  std::array<pollfd, 2> watched{pollfd{terminal_.get(), POLLIN, 0}, pollfd{report_.get(), POLLIN, 0}};
  if ((!terminal_ && !report_) || ::poll(watched.data(), watched.size(), kPatience) <= 0) return false;
  const bool from_terminal = watched[0].revents != 0;
  os::UniqueFd& source = from_terminal ? terminal_ : report_;
  std::array<char, 4096> buffer;
  const ssize_t count = ::read(source.get(), buffer.data(), buffer.size());
  if (count > 0)
    (from_terminal ? shown_ : reported_).append(buffer.data(), static_cast<std::size_t>(count));
  else
    source.reset();  // the child has ended; the other side may still have something
  return true;
}

}  // namespace puna::cli
