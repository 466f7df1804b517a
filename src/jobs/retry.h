// Whether and when a failed job is tried again.
#pragma once

#include <optional>

#include "base/error.h"
#include "base/units.h"
#include "jobs/spec.h"

namespace puna::jobs {

// A failure that may be gone at the next try: another machine's, not the request's.
[[nodiscard]] bool may_pass(Code code);
// The wait before the next try after `failures` failures in a row; nothing when the job has failed for good. `dice` is from 0 to 1.
[[nodiscard]] std::optional<Milliseconds> retry_delay(const RetryPolicy& policy, const Error& error, int failures, double dice);

}  // namespace puna::jobs
