#include "cli/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace puna::cli {
namespace {

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Result<std::unique_ptr<Interrupt>> Interrupt::install() {
  const sigset_t set = watched_signals();
  os::UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  os::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  os::UniqueFd leave(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!signals || !event || !leave) return fail(errno_error(errno, "cannot watch for Ctrl-C"));
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return std::unique_ptr<Interrupt>(new Interrupt(std::move(signals), std::move(event), std::move(leave)));
}

Interrupt::Interrupt(os::UniqueFd signals, os::UniqueFd event, os::UniqueFd leave)
    : signals_(std::move(signals)), event_(std::move(event)), leave_(std::move(leave)), watcher_([this] { watch(); }) {}

Interrupt::~Interrupt() {
  ::eventfd_write(leave_.get(), 1);
  watcher_.join();
  const sigset_t set = watched_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
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
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
  std::stop_source source;
  {
    const std::lock_guard lock(mutex_);
    terminated_ = terminated_ || info.ssi_signo == SIGTERM;
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
