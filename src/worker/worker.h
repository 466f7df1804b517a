// `puna worker`: the child process that holds one model.
#pragma once

#include <span>
#include <string_view>

namespace puna::worker {

// Runs until it is told to end (SIGTERM, or end of file on the pipe that is its standard input); returns the exit code. `words` is the
// command line after "worker". Log lines go to stderr, state to --status-fd, and with --check FILE a wire::CheckReport to stdout.
[[nodiscard]] int run(std::span<const std::string_view> words);

}  // namespace puna::worker
