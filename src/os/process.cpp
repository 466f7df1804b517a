#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string_view>

#include "base/text.h"
#include "os/file.h"

namespace puna::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kStartDeadline{10'000};
constexpr milliseconds kReapDeadline{10'000};

// glibc 2.36 declares its wrappers of these two without C linkage.
int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}
int send_signal_to(int pidfd, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

// Where the child stood when it gave up; sent through a pipe that a successful exec closes.
enum class Stage : int { death_signal, limits, folder, descriptors, execute };
struct Failure {
  Stage stage;
  int error_number;
};

// All that the child needs, made before the fork: between fork and exec only async-signal-safe calls are allowed.
struct Plan {
  std::vector<char*> argv;
  std::vector<std::string> environment_text;
  std::vector<char*> environment;
  std::vector<std::pair<int, int>> descriptors;  // ours -> child's number, by the latter
  std::vector<int> moved;                        // room for one number a descriptor
  const char* folder = nullptr;
  const SpawnOptions* options = nullptr;
  pid_t parent = 0;
};

[[noreturn]] void give_up(int report, Stage stage) {
  const Failure failure{stage, errno};
  // Nobody is left to tell when this write fails; the exit code says as much.
  const ssize_t written = ::write(report, &failure, sizeof(failure));
  ::_exit(written == sizeof(failure) ? 127 : 126);
}

void reset_signals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &action, nullptr);  // refuses SIGKILL, SIGSTOP and libc's own
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void apply_limits(const SpawnOptions& options, int report) {
  // One byte, not zero: a zero limit does not keep the kernel from piping the dump into a collector.
  const rlimit no_core{1, 1};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) give_up(report, Stage::limits);
  const auto limit = [&](int resource, const std::optional<Bytes>& bytes) {
    if (!bytes) return;
    const rlimit both{bytes->count, bytes->count};
    if (::setrlimit(resource, &both) != 0) give_up(report, Stage::limits);
  };
  limit(RLIMIT_AS, options.address_space_limit);
  limit(RLIMIT_DATA, options.data_limit);
}

// Gives every descriptor its number and closes all others; returns where `report` went.
int arrange_descriptors(Plan& plan, int report) {
  const int above = plan.descriptors.back().second + 1;
  // First out of the way: a number may be one child descriptor's target and another's source.
  for (std::size_t i = 0; i < plan.descriptors.size(); ++i) {
    plan.moved[i] = ::fcntl(plan.descriptors[i].first, F_DUPFD_CLOEXEC, above);
    if (plan.moved[i] < 0) give_up(report, Stage::descriptors);
  }
  const int moved_report = ::fcntl(report, F_DUPFD_CLOEXEC, above);
  if (moved_report < 0) give_up(report, Stage::descriptors);
  int closed_below = 0;
  const auto close_up_to = [&](int first_kept) {
    if (first_kept > closed_below && ::close_range(static_cast<unsigned>(closed_below), static_cast<unsigned>(first_kept - 1), 0) != 0)
      give_up(moved_report, Stage::descriptors);
    closed_below = first_kept + 1;
  };
  for (std::size_t i = 0; i < plan.descriptors.size(); ++i) {
    if (::dup2(plan.moved[i], plan.descriptors[i].second) < 0) give_up(moved_report, Stage::descriptors);
    close_up_to(plan.descriptors[i].second);
  }
  close_up_to(moved_report);
  if (::close_range(static_cast<unsigned>(closed_below), std::numeric_limits<unsigned>::max(), 0) != 0)
    give_up(moved_report, Stage::descriptors);
  return moved_report;
}

[[noreturn]] void become_program(Plan& plan, int report) {
  const SpawnOptions& options = *plan.options;
  if (options.new_session) ::setsid();  // cannot fail: a fresh child leads no group
  if (options.die_with_parent) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(report, Stage::death_signal);
    if (::getppid() != plan.parent) ::_exit(126);  // the parent died before we asked to be told
  }
  reset_signals();
  if (plan.folder != nullptr && ::chdir(plan.folder) != 0) give_up(report, Stage::folder);
  report = arrange_descriptors(plan, report);
  apply_limits(options, report);
  ::execve(plan.argv[0], plan.argv.data(), plan.environment.data());
  give_up(report, Stage::execute);
}

Error failure_error(const Failure& failure, const SpawnOptions& options) {
  const std::string& program = options.argv.front();
  switch (failure.stage) {
    case Stage::death_signal:
      return errno_error(failure.error_number, fmt::format("cannot start {}: tying it to its parent", program));
    case Stage::limits:
      return errno_error(failure.error_number, fmt::format("cannot start {}: setting its limits", program));
    case Stage::folder:
      return errno_error(failure.error_number, fmt::format("cannot start {} in {}", program, options.working_directory.string()));
    case Stage::descriptors:
      return errno_error(failure.error_number,
                         fmt::format("cannot start {}: arranging its descriptors (Linux 5.9 or newer is needed)", program));
    case Stage::execute:
      return errno_error(failure.error_number, fmt::format("cannot execute {}", program));
  }
  return Error(Code::internal, "unknown stage of a start");
}

Result<> check_options(const SpawnOptions& options) {
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (options.argv.empty() || options.argv.front().empty()) return fail(Code::invalid_argument, "no program to start");
  for (const auto& argument : options.argv)
    if (has_nul(argument)) return fail(Code::invalid_argument, "an argument contains a NUL byte");
  for (const auto& [name, value] : options.environment)
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value))
      return fail(Code::invalid_argument, fmt::format("'{}' cannot be an environment variable", printable(name)));
  std::vector<int> targets;
  for (const auto& [ours, target] : options.pass_fds) {
    if (ours < 0 || target < 3 || std::ranges::find(targets, target) != targets.end())
      return fail(Code::invalid_argument, fmt::format("descriptor {} cannot become the child's {}", ours, target));
    targets.push_back(target);
  }
  return {};
}

// Blocks every signal while it lives, so that no handler of ours runs in the child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

Plan make_plan(const SpawnOptions& options, int null_device) {
  Plan plan;
  plan.options = &options;
  plan.parent = ::getpid();
  for (const auto& argument : options.argv) plan.argv.push_back(const_cast<char*>(argument.c_str()));
  plan.argv.push_back(nullptr);
  for (const auto& [name, value] : options.environment) plan.environment_text.push_back(name + "=" + value);
  for (auto& text : plan.environment_text) plan.environment.push_back(text.data());
  plan.environment.push_back(nullptr);
  plan.descriptors = {{options.stdin_fd.value_or(null_device), STDIN_FILENO},
                      {options.stdout_fd.value_or(null_device), STDOUT_FILENO},
                      {options.stderr_fd.value_or(null_device), STDERR_FILENO}};
  plan.descriptors.insert(plan.descriptors.end(), options.pass_fds.begin(), options.pass_fds.end());
  std::ranges::sort(plan.descriptors, {}, &std::pair<int, int>::second);
  plan.moved.resize(plan.descriptors.size());
  if (!options.working_directory.empty()) plan.folder = options.working_directory.c_str();
  return plan;
}

// True when readable before the deadline.
bool wait_readable(int descriptor, milliseconds deadline) {
  const auto end = steady_clock::now() + std::min(deadline, milliseconds(std::chrono::hours(24 * 365)));
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now()).count();
    pollfd wanted{descriptor, POLLIN, 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max())));
    if (ready > 0) return true;
    if ((ready == 0 && left <= std::numeric_limits<int>::max()) || (ready < 0 && errno != EINTR)) return false;
  }
}

}  // namespace

std::string ExitStatus::text() const {
  if (code) return fmt::format("exit code {}", *code);
  if (!signal) return "unknown exit status";
  const char* name = ::sigabbrev_np(*signal);
  return name == nullptr ? fmt::format("signal {}", *signal) : fmt::format("signal {} ({})", *signal, name);
}

Result<Process> Process::spawn(const SpawnOptions& options) {
  PUNA_CHECK(check_options(options));
  const UniqueFd null_device(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_device) return fail(errno_error(errno, "cannot open /dev/null"));
  PUNA_TRY(Pipe report, make_pipe());
  Plan plan = make_plan(options, null_device.get());

  pid_t pid = -1;
  int fork_error = 0;
  {
    const SignalsBlocked blocked;
    pid = ::fork();
    if (pid == 0) become_program(plan, report.write.get());
    fork_error = errno;
  }
  if (pid < 0) return fail(errno_error(fork_error, fmt::format("cannot start {}", options.argv.front())));
  report.write.reset();
  UniqueFd pidfd(open_pidfd(pid));
  if (!pidfd) {
    const int reason = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail(errno_error(reason, fmt::format("cannot watch {}", options.argv.front())));
  }
  Process process(pid, std::move(pidfd));
  if (!wait_readable(report.read.get(), kStartDeadline))
    return fail(Code::deadline_exceeded,
                fmt::format("{} could not be executed within {}", options.argv.front(), format_duration(kStartDeadline)));
  Failure failure{};
  if (::read(report.read.get(), &failure, sizeof(failure)) == sizeof(failure)) return fail(failure_error(failure, options));
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), status_(std::exchange(other.status_, std::nullopt)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    kill_and_reap();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
    status_ = std::exchange(other.status_, std::nullopt);
  }
  return *this;
}

Process::~Process() {
  kill_and_reap();
}

void Process::kill_and_reap() {
  if (!pidfd_ || try_wait()) return;
  send_signal_to(pidfd_.get(), SIGKILL);
  // Only a child stuck inside the kernel is not gone at once; init reaps it when we are gone.
  if (wait_readable(pidfd_.get(), kReapDeadline)) notice_end();
}

Result<> Process::send_signal(int signal) {
  if (!pidfd_ || try_wait()) return fail(Code::conflict, fmt::format("process {} has ended", pid_));
  if (send_signal_to(pidfd_.get(), signal) == 0) return {};
  return fail(errno_error(errno, fmt::format("cannot send signal {} to process {}", signal, pid_)));
}

void Process::notice_end() {
  if (status_ || !pidfd_) return;
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0) {
    if (errno == ECHILD) status_ = ExitStatus{};  // somebody else reaped it: ended, nobody knows how
  } else if (info.si_pid != 0) {
    status_ = info.si_code == CLD_EXITED ? ExitStatus{.code = info.si_status} : ExitStatus{.signal = info.si_status};
  }
}

std::optional<ExitStatus> Process::try_wait() {
  notice_end();
  return status_;
}

Result<ExitStatus> Process::wait(milliseconds deadline) {
  if (!status_ && pidfd_) {
    wait_readable(pidfd_.get(), deadline);
    notice_end();
  }
  if (status_) return *status_;
  return fail(Code::deadline_exceeded, fmt::format("process {} still runs after {}", pid_, format_duration(deadline)));
}

void Process::detach() && {
  pidfd_.reset();
}

Result<std::filesystem::path> own_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(Code::internal, "cannot find this program's own path: " + error.message());
  return path;
}

std::string process_name(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/comm", pid), kib(1));
  return text ? std::string(trim(*text)) : std::string();
}

}  // namespace puna::os
