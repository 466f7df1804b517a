#include "fleet/check_model.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>

#include "base/text.h"
#include "os/descriptor.h"
#include "os/process.h"
#include "os/readable.h"
#include "wire/worker.h"

namespace puna::fleet {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kLargestReport = 1U << 20U;

// Everything the child prints, until it closes its end.
Result<std::string> read_report(int descriptor, steady_clock::time_point due, const std::stop_token& stop) {
  const os::StopDescriptor stopped(stop);
  std::string report;
  std::array<char, 16384> buffer{};
  while (report.size() < kLargestReport) {
    const auto woken = os::wait_readable(descriptor, stopped, due);
    if (woken == os::Wake::stopped) return fail(Code::cancelled, "the check was cancelled");
    if (woken == os::Wake::late) return fail(Code::deadline_exceeded, "reading its header takes too long");
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno != EINTR) return fail(errno_error(errno, "cannot read the checker's report"));
    if (got == 0) return report;
    if (got > 0) report.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return fail(Code::internal, "the checker's report has no end");
}

Result<gguf::Summary> read_summary(const std::string& report, const os::ExitStatus& exit) {
  const auto decoded = json::decode_text<wire::CheckReport>(report, json::Unknown::ignore).value_or(wire::CheckReport());
  if (const auto& error = decoded.error) return fail(code_from_name(error->code).value_or(Code::corrupt_data), error->message);
  if (const auto& summary = decoded.summary) return json::decode<gguf::Summary>(*summary, json::Unknown::ignore);
  return fail(Code::corrupt_data, fmt::format("the checker did not survive it ({})", exit.text()));
}

Result<gguf::Summary> run_checker(const std::filesystem::path& program, const std::filesystem::path& file, const CheckLimits& limits,
                                  const std::stop_token& stop) {
  const auto due = steady_clock::now() + limits.deadline;
  PUNA_TRY(auto output, os::make_pipe());
  PUNA_TRY(auto process, os::Process::spawn({.argv = {program.string(), "worker", "--check", file.string()},
                                             .environment = os::child_environment(),
                                             .stdout_fd = output.write.get(),
                                             .address_space_limit = limits.memory,
                                             .new_session = true}));
  output.write.reset();
  PUNA_TRY(const auto report, read_report(output.read.get(), due, stop));
  PUNA_TRY(const auto exit, process.wait(std::chrono::ceil<Milliseconds>(due - steady_clock::now())));
  return read_summary(report, exit);
}

}  // namespace

Result<gguf::Summary> check_model(const std::filesystem::path& program, const std::filesystem::path& file, const CheckLimits& limits,
                                  std::stop_token stop) {
  auto summary = run_checker(program, file, limits, stop);
  if (!summary) return fail(std::move(summary.error()).within(file.filename().string()));
  return summary;
}

}  // namespace puna::fleet
