// Ctrl-C as a request, not as an end.
#pragma once

#include <mutex>
#include <stop_token>
#include <thread>

#include "base/error.h"
#include "os/descriptor.h"

namespace puna::cli {

// While it lives, SIGINT and SIGTERM end nothing by themselves, whichever thread they reach: they request a stop. One at a time.
class Interrupt {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Interrupt>> install();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  // Of the next signal; each rearm() makes a new one.
  [[nodiscard]] std::stop_token token() const;
  [[nodiscard]] bool requested() const { return token().stop_requested(); }
  // Readable from a signal until rearm(), for poll().
  [[nodiscard]] int descriptor() const { return event_.get(); }
  // Forgets a SIGINT. A SIGTERM stays requested: whoever asks next ends.
  void rearm();

 private:
  Interrupt(os::UniqueFd signals, os::UniqueFd noted, os::UniqueFd event, os::UniqueFd leave);
  void watch();
  void take_signal();

  os::UniqueFd signals_;  // the pipe that the handler writes to, and its other end
  os::UniqueFd noted_;
  os::UniqueFd event_;
  os::UniqueFd leave_;
  mutable std::mutex mutex_;  // guards what follows
  std::stop_source source_;
  bool terminated_ = false;
  std::jthread watcher_;
};

}  // namespace puna::cli
