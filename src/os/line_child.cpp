#include "os/line_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

#include "base/text.h"
#include "os/descriptor.h"
#include "os/file.h"
#include "os/readable.h"

namespace puna::os {
namespace {

using std::chrono::steady_clock;

constexpr Milliseconds kEndAfterLastLine{10'000};
constexpr Bytes kLargestLog = mib(4);

class Conversation {
 public:
  Conversation(const LineChild& child, Process& process, int descriptor, const std::function<void(std::string_view)>& on_line)
      : child_(child), process_(process), descriptor_(descriptor), on_line_(on_line) {}

  // Every line until the child closes its end. Code::cancelled once it has, after a stop.
  Result<> hear(const std::stop_token& stop) {
    const StopDescriptor stopped(stop);
    const StopDescriptor never{std::stop_token()};
    auto due = steady_clock::now() + child_.silence;
    while (true) {
      const auto woken = wait_readable(descriptor_, asked_ ? never : stopped, due);
      if (woken == Wake::late) return fail(asked_ ? Code::cancelled : Code::deadline_exceeded, late_text());
      if (woken == Wake::stopped) {
        if (!ask_to_end()) return fail(Code::cancelled, "it was cancelled");
        due = steady_clock::now() + child_.grace;
        continue;
      }
      PUNA_TRY(const bool more, read_some());
      if (!more) return asked_ ? Result<>(fail(Code::cancelled, "it was cancelled")) : Result<>();
      if (!asked_) due = steady_clock::now() + child_.silence;
    }
  }

 private:
  std::string late_text() const {
    return asked_ ? "it was cancelled" : fmt::format("it has told nothing for {}, and was ended", format_duration(child_.silence));
  }

  // False: there is no grace.
  bool ask_to_end() {
    asked_ = true;
    return child_.grace.count() > 0 && process_.send_signal(SIGTERM).has_value();
  }

  Result<bool> read_some() {
    const ssize_t got = ::read(descriptor_, buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) return true;
    if (got < 0) return fail(errno_error(errno, "cannot read what the child tells"));
    if (got == 0) return false;
    pending_.append(buffer_.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', begin)) {
      on_line_(std::string_view(pending_).substr(begin, end - begin));
      begin = end + 1;
    }
    pending_.erase(0, begin);
    if (pending_.size() > child_.longest_line.count) return fail(Code::internal, "the child tells a line without end");
    return true;
  }

  const LineChild& child_;
  Process& process_;
  const int descriptor_;
  const std::function<void(std::string_view)>& on_line_;
  std::string pending_;
  std::array<char, 16384> buffer_{};
  bool asked_ = false;
};

}  // namespace

Result<ExitStatus> run_line_child(const LineChild& child, const std::function<void(std::string_view)>& on_line,
                                  const std::stop_token& stop) {
  PUNA_TRY(auto told, make_pipe());
  const int how = child.old_log == OldLog::append ? O_APPEND : O_TRUNC;
  const UniqueFd log(::open(child.log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600));
  if (!log) return fail(errno_error(errno, fmt::format("cannot write {}", child.log.string())));
  PUNA_TRY(auto process, Process::spawn({.argv = child.argv,
                                         .environment = child_environment(),
                                         .stdout_fd = told.write.get(),
                                         .stderr_fd = log.get(),
                                         .new_session = true}));
  told.write.reset();
  PUNA_CHECK(Conversation(child, process, told.read.get(), on_line).hear(stop));
  return process.wait(kEndAfterLastLine);
}

Error unexplained_end(const ExitStatus& exit, const std::filesystem::path& log, std::string_view who, std::string_view remedy) {
  if (exit.signal == SIGKILL)
    return {Code::out_of_memory, fmt::format("it was killed from outside, most likely because memory ran out; {}", remedy)};
  const auto last = last_line_of(log);
  return {Code::upstream_failed, fmt::format("{} did not survive it ({}){}", who, exit.text(), last.empty() ? "" : ": " + last)};
}

std::string last_line_of(const std::filesystem::path& log) {
  const auto text = read_file(log, kLargestLog);
  if (!text) return {};
  const auto trimmed = trim(*text);
  const auto newline = trimmed.rfind('\n');
  return printable(newline == std::string_view::npos ? trimmed : trimmed.substr(newline + 1));
}

}  // namespace puna::os
