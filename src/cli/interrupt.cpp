#include "cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

namespace puna::cli {
namespace {

constexpr std::array kWatched{SIGINT, SIGTERM};

// Where the handler writes: a handler has no other way to know. A blocked mask would do without one, but only for threads that were
// started under it, and whoever waits for Ctrl-C has often asked the daemon something before.
std::atomic<int> g_pipe{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void note_signal(int signal) {
  const int before = errno;
  const auto byte = static_cast<unsigned char>(signal);
  // ignored: a full pipe already holds signals enough
  [[maybe_unused]] const auto written = ::write(g_pipe.load(), &byte, 1);
  errno = before;
}

void handle_watched(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : kWatched) ::sigaction(signal, &action, nullptr);
}

}  // namespace

Result<std::unique_ptr<Interrupt>> Interrupt::install() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return fail(errno_error(errno, "cannot watch for Ctrl-C"));
  os::UniqueFd signals(ends[0]);
  os::UniqueFd noted(ends[1]);
  os::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  os::UniqueFd leave(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event || !leave) return fail(errno_error(errno, "cannot watch for Ctrl-C"));
  return std::unique_ptr<Interrupt>(new Interrupt(std::move(signals), std::move(noted), std::move(event), std::move(leave)));
}

Interrupt::Interrupt(os::UniqueFd signals, os::UniqueFd noted, os::UniqueFd event, os::UniqueFd leave)
    : signals_(std::move(signals)), noted_(std::move(noted)), event_(std::move(event)), leave_(std::move(leave)), watcher_([this] {
        watch();
      }) {
  g_pipe = noted_.get();
  handle_watched(note_signal);
}

Interrupt::~Interrupt() {
  handle_watched(SIG_DFL);
  g_pipe = -1;
  ::eventfd_write(leave_.get(), 1);
  watcher_.join();
}

void Interrupt::watch() {
  while (true) {
    std::array<pollfd, 2> watched{pollfd{leave_.get(), POLLIN, 0}, pollfd{signals_.get(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) continue;
    if (watched[0].revents != 0) return;
    take_signal();
  }
}

void Interrupt::take_signal() {
  unsigned char signal = 0;
  if (::read(signals_.get(), &signal, 1) != 1) return;
  std::stop_source source;
  {
    const std::lock_guard lock(mutex_);
    terminated_ = terminated_ || signal == SIGTERM;
    source = source_;
  }
  ::eventfd_write(event_.get(), 1);
  source.request_stop();
}

std::stop_token Interrupt::token() const {
  const std::lock_guard lock(mutex_);
  return source_.get_token();
}

void Interrupt::rearm() {
  const std::lock_guard lock(mutex_);
  if (terminated_) return;
  eventfd_t count = 0;
  ::eventfd_read(event_.get(), &count);
  source_ = std::stop_source();
}

}  // namespace puna::cli
