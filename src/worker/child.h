// What every child process of ours does before it touches a model.
#pragma once

#include <optional>

namespace puna::worker {

// A crash is quick and leaves nothing (no core file with a conversation in it, no debugger for a backtrace) but last words to the status
// descriptor; and when memory runs out it is this process that the kernel ends, not the daemon.
void behave_as_child(std::optional<int> status_descriptor);

}  // namespace puna::worker
