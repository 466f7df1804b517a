// `puna worker --probe FILE`: what can a model do?
#pragma once

#include "worker/arguments.h"

namespace puna::worker {

// Tells wire::ProbeLine on stdout. At the lowest priority for processor and disk, and without a GPU.
[[nodiscard]] int run_probe(const ProbeArguments& arguments);

}  // namespace puna::worker
