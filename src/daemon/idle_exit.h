// A daemon started on demand leaves by itself.
#pragma once

#include <functional>

#include "base/units.h"
#include "net/io.h"

namespace puna::daemon {

// Calls `leave` once nothing has been going on for the limit. Told of changes; never polls. Network thread.
class IdleExit {
 public:
  struct Parts {
    std::function<bool()> busy;           // clients, jobs or loaded models
    std::function<Milliseconds()> limit;  // kForever: never
    std::function<void()> leave;
  };
  IdleExit(net::Io& io, Parts parts);

  // Something began or ended.
  void changed();

 private:
  void expired();

  Parts parts_;
  bool idle_ = false;
  net::Watchdog watchdog_;
};

}  // namespace puna::daemon
