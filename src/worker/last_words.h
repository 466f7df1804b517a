// Deaths that cannot be prevented, explained.
#pragma once

#include <optional>

namespace puna::worker {

// From now on a failed assertion inside ggml and an exception that nobody caught write a failure to the status descriptor (and to stderr)
// before the process aborts.
void leave_last_words(std::optional<int> status_descriptor);

}  // namespace puna::worker
