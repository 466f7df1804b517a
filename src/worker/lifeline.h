// What ends a worker from outside: SIGTERM, SIGINT, or the end of the daemon.
#pragma once

#include <filesystem>
#include <functional>

#include "base/error.h"

namespace puna::worker {

// Blocks the two signals in this thread and in all that it starts later: call it first.
[[nodiscard]] Result<> prepare_lifeline();

// Starts a thread that waits for the signals and, when standard input is a pipe, for its end: the daemon holds the other one. Either ends
// the process with exit code 0 after its farewell, whatever the other threads do: requests are cut, the kernel takes everything back.
// Nothing needs an orderly end, and waiting for one is how a worker hangs.
[[nodiscard]] Result<> start_lifeline(const std::filesystem::path& socket);

// What the thread does before it ends the process; it must take no longer than it promised somebody. Any thread.
void set_farewell(std::function<void()> farewell);

}  // namespace puna::worker
