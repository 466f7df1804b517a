#include "fleet/child_report.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "os/descriptor.h"
#include "os/readable.h"

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
    if (woken == os::Wake::stopped) return fail(Code::cancelled, "it was cancelled");
    if (woken == os::Wake::late) return fail(Code::deadline_exceeded, "reading it takes too long");
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno != EINTR) return fail(errno_error(errno, "cannot read the child's report"));
    if (got == 0) return report;
    if (got > 0) report.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return fail(Code::internal, "the child's report has no end");
}

}  // namespace

Result<ChildReport> run_for_report(const ReportOrder& order, const std::stop_token& stop) {
  const auto due = steady_clock::now() + order.deadline;
  PUNA_TRY(auto output, os::make_pipe());
  PUNA_TRY(auto process, os::Process::spawn({.argv = order.argv,
                                             .environment = order.environment,
                                             .stdout_fd = output.write.get(),
                                             .address_space_limit = order.memory,
                                             .new_session = true}));
  output.write.reset();
  PUNA_TRY(auto text, read_report(output.read.get(), due, stop));
  PUNA_TRY(const auto exit, process.wait(std::chrono::ceil<Milliseconds>(due - steady_clock::now())));
  return ChildReport{std::move(text), exit};
}

}  // namespace puna::fleet
