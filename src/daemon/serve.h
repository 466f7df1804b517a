// The long-running process that owns all state.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/error.h"

namespace puna::daemon {

struct ServeOptions {
  std::map<std::string, std::string> flags;  // settings by key
  bool on_demand = false;                    // leave when idle (server.idle_exit)
  std::optional<int> ready_descriptor;       // told "ready\n" or "error CODE MESSAGE\n", then closed
  bool log_to_stderr = false;
};

// Runs until SIGTERM, SIGINT, a shutdown request or idleness, and drains. Code::conflict when another daemon owns the data folder, or
// the port is taken.
[[nodiscard]] Result<> serve(const ServeOptions& options);

}  // namespace puna::daemon
