// Waiting for a descriptor, with a deadline and a stop, without looking again and again.
#pragma once

#include <sys/eventfd.h>

#include <chrono>
#include <stop_token>

#include "os/descriptor.h"

namespace puna::os {

// Readable once stop is requested. Made once for a row of waits.
class StopDescriptor {
 public:
  explicit StopDescriptor(const std::stop_token& stop)
      : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback_(stop, Signal{descriptor_.get()}) {}
  [[nodiscard]] int get() const { return descriptor_.get(); }

 private:
  struct Signal {
    int descriptor;
    void operator()() const { ::eventfd_write(descriptor, 1); }
  };
  UniqueFd descriptor_;
  std::stop_callback<Signal> callback_;
};

enum class Wake { readable, stopped, late };

// Readable includes the end of the other side. Without a descriptor (-1) only the stop and the deadline end the wait.
[[nodiscard]] Wake wait_readable(int descriptor, const StopDescriptor& stop, std::chrono::steady_clock::time_point until);

}  // namespace puna::os
