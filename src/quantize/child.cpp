#include "quantize/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "base/text.h"
#include "os/descriptor.h"
#include "os/file.h"
#include "os/process.h"
#include "os/readable.h"

namespace puna::quantize {
namespace {

using std::chrono::steady_clock;

constexpr Milliseconds kEndAfterLastLine{10'000};
constexpr std::chrono::hours kSilence{1};  // a single tensor of the largest models takes minutes
constexpr std::size_t kLongestLine = 64 << 10;
constexpr Bytes kLargestLog = mib(4);

Code code_of(wire::WorkerFault fault) {
  return fault == wire::WorkerFault::out_of_memory ? Code::out_of_memory : Code::upstream_failed;
}

std::string last_line_of(const std::filesystem::path& log) {
  const auto text = os::read_file(log, kLargestLog);
  if (!text) return {};
  const auto trimmed = trim(*text);
  const auto newline = trimmed.rfind('\n');
  return printable(newline == std::string_view::npos ? trimmed : trimmed.substr(newline + 1));
}

Error unexplained_end(const os::ExitStatus& exit, const std::filesystem::path& log) {
  if (exit.signal == SIGKILL)
    return {Code::out_of_memory, "it was killed from outside, most likely because memory ran out; end other programs, then try again"};
  const auto last = last_line_of(log);
  return {Code::upstream_failed, fmt::format("llama.cpp did not survive it ({}){}", exit.text(), last.empty() ? "" : ": " + last)};
}

// What the child said that decides the outcome.
struct Outcome {
  bool finished = false;
  std::optional<Error> error;

  void hear(const wire::QuantizeLine& line) {
    finished = finished || line.finished.value_or(false);
    if (line.error) error = Error(code_from_name(line.error->code).value_or(Code::upstream_failed), line.error->message);
    if (line.fault) error = Error(code_of(*line.fault), line.message.value_or("it crashed"));
  }
};

// Every line until the child closes its end.
Result<> read_lines(int descriptor, const std::function<void(std::string_view)>& on_line, const std::stop_token& stop) {
  const os::StopDescriptor stopped(stop);
  std::string pending;
  std::array<char, 16384> buffer{};
  auto due = steady_clock::now() + kSilence;
  while (true) {
    const auto woken = os::wait_readable(descriptor, stopped, due);
    if (woken == os::Wake::stopped) return fail(Code::cancelled, "it was cancelled");
    if (woken == os::Wake::late) return fail(Code::deadline_exceeded, "it has told nothing for an hour, and was ended");
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "cannot read what the child tells"));
    if (got == 0) return {};
    due = steady_clock::now() + kSilence;
    pending.append(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      on_line(std::string_view(pending).substr(0, end));
      pending.erase(0, end + 1);
    }
    if (pending.size() > kLongestLine) return fail(Code::internal, "the child tells a line without end");
  }
}

}  // namespace

Result<> run_child(const Child& child, const std::function<void(const wire::QuantizeLine&)>& on_line, const std::stop_token& stop) {
  PUNA_TRY(auto told, os::make_pipe());
  const os::UniqueFd log(::open(child.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!log) return fail(errno_error(errno, fmt::format("cannot write {}", child.log.string())));
  std::vector<std::string> argv = {child.program.string(), "worker"};
  argv.insert(argv.end(), child.words.begin(), child.words.end());
  PUNA_TRY(auto process, os::Process::spawn({.argv = std::move(argv),
                                             .environment = os::child_environment(),
                                             .stdout_fd = told.write.get(),
                                             .stderr_fd = log.get(),
                                             .new_session = true}));
  told.write.reset();
  Outcome outcome;
  PUNA_CHECK(read_lines(
      told.read.get(),
      [&](std::string_view text) {
        const auto line = json::decode_text<wire::QuantizeLine>(text, json::Unknown::ignore);
        // ignored: no line of ours; something in llama.cpp prints by itself
        if (!line) return;
        outcome.hear(*line);
        on_line(*line);
      },
      stop));
  PUNA_TRY(const auto exit, process.wait(kEndAfterLastLine));
  if (outcome.error) return fail(std::move(*outcome.error));
  if (outcome.finished && exit.ok()) return {};
  return fail(unexplained_end(exit, child.log));
}

}  // namespace puna::quantize
