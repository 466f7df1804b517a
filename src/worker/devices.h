// What this program can compute on, here.
#pragma once

#include "base/error.h"
#include "wire/system.h"

namespace puna::worker {

// Asks each of ggml's backends, which makes a GPU's driver start: for a process that ends soon. Code::unavailable without kernels.
[[nodiscard]] Result<wire::Compute> probe_compute();

// The same on standard output, as JSON; returns the exit code.
[[nodiscard]] int print_devices();

}  // namespace puna::worker
