// Starting the user's own daemon when none runs.
#pragma once

#include <filesystem>
#include <stop_token>

#include "base/error.h"
#include "base/units.h"
#include "os/environment.h"
#include "os/places.h"

namespace puna::client {

struct LaunchOptions {
  std::filesystem::path program;  // run as `program serve --on-demand --ready-fd 3`
  os::Environment environment;    // of ours; what a daemon needs of it is passed on, secrets of the shell are not
  os::Places places;
  Milliseconds deadline{30'000};
};

// Returns when a daemon answers: one that ran before, one that another program started at the same moment, or a new one, which lives
// on by itself until it is idle. The Error is the daemon's own reason for not starting, or Code::deadline_exceeded.
[[nodiscard]] Result<> ensure_daemon(const LaunchOptions& options, std::stop_token stop = {});

// Whether a daemon owns the data folder, be it that it starts, serves or ends.
[[nodiscard]] bool is_owned(const os::Places& places);

// What a daemon started on demand gets: child_environment(), Puna's own variables, proxies, certificates, and what steers GPUs and
// threads.
[[nodiscard]] os::Environment daemon_environment(const os::Environment& ours);

// This program.
[[nodiscard]] Result<std::filesystem::path> own_program();

}  // namespace puna::client
