#include "daemon/idle_exit.h"

#include "base/log.h"

namespace puna::daemon {

IdleExit::IdleExit(net::Io& io, Parts parts) : parts_(std::move(parts)), watchdog_(io.context().get_executor(), [this] { expired(); }) {}

void IdleExit::changed() {
  const bool idle = !parts_.busy();
  if (idle == idle_) return;
  idle_ = idle;
  if (idle)
    watchdog_.set_after(parts_.limit());
  else
    watchdog_.clear();
}

void IdleExit::expired() {
  if (parts_.busy()) {
    idle_ = false;
    return;
  }
  log::info("daemon", "leaving, since nothing has been going on", {{"for", format_duration(parts_.limit())}});
  parts_.leave();
}

}  // namespace puna::daemon
