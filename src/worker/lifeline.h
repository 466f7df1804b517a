// What ends a worker from outside: SIGTERM, SIGINT, or the end of the daemon.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace puna::worker {

// Blocks the two signals in this thread and in all that it starts later: call it first.
[[nodiscard]] Result<> prepare_lifeline();

// Starts a thread that waits for the signals and, when standard input is a pipe, for its end: the daemon holds the other one. Either ends
// the process at once with exit code 0, whatever the other threads do: requests are cut, the kernel takes everything back.
// Nothing needs an orderly end, and waiting for one is how a worker hangs.
[[nodiscard]] Result<> start_lifeline(const std::filesystem::path& socket);

}  // namespace puna::worker
