#include "worker/lifeline.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <thread>

#include "os/descriptor.h"
#include "worker/engine_log.h"

namespace puna::worker {
namespace {

sigset_t ending_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  return signals;
}

bool input_is_pipe() {
  struct stat info{};
  return ::fstat(STDIN_FILENO, &info) == 0 && S_ISFIFO(info.st_mode);
}

struct Farewell {
  std::mutex mutex;
  std::function<void()> function;
};
// The lifeline's thread outlives every object of main().
Farewell& farewell() {
  static auto* const only = new Farewell;
  return *only;
}

[[noreturn]] void leave(const std::filesystem::path& socket, std::string_view reason) {
  write_log_line(reason);
  ::unlink(socket.c_str());  // nobody new comes
  const std::lock_guard lock(farewell().mutex);
  if (farewell().function) farewell().function();
  ::_exit(0);
}

[[noreturn]] void watch(const os::UniqueFd& signals, const std::filesystem::path& socket) {
  std::array<pollfd, 2> watched = {pollfd{signals.get(), POLLIN, 0}, pollfd{input_is_pipe() ? STDIN_FILENO : -1, POLLIN, 0}};
  while (true) {
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) leave(socket, "stopping: cannot watch for signals any more");
    if (watched[0].revents != 0) leave(socket, "stopping: asked to");
    if (watched[1].revents == 0) continue;
    std::array<char, 64> ignored{};
    const ssize_t got = ::read(STDIN_FILENO, ignored.data(), ignored.size());
    if (got == 0 || (got < 0 && errno != EINTR)) leave(socket, "stopping: the daemon has ended");
  }
}

}  // namespace

Result<> prepare_lifeline() {
  const sigset_t signals = ending_signals();
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0)
    return fail(errno_error(error, "cannot block signals"));
  if (::signal(SIGPIPE, SIG_IGN) == SIG_ERR) return fail(errno_error(errno, "cannot ignore SIGPIPE"));
  return {};
}

Result<> start_lifeline(const std::filesystem::path& socket) {
  const sigset_t signals = ending_signals();
  os::UniqueFd descriptor(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!descriptor) return fail(errno_error(errno, "cannot watch for signals"));
  std::thread([descriptor = std::move(descriptor), socket] { watch(descriptor, socket); }).detach();
  return {};
}

void set_farewell(std::function<void()> function) {
  const std::lock_guard lock(farewell().mutex);
  farewell().function = std::move(function);
}

}  // namespace puna::worker
