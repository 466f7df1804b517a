// `puna worker --quantize FILE …`: one file through llama.cpp's quantizer.
#pragma once

#include "worker/arguments.h"

namespace puna::worker {

// Tells wire::QuantizeLine on stdout; returns the exit code: 0 when the output is written, or planned. Runs below the priority of others.
[[nodiscard]] int run_quantize(const QuantizeArguments& arguments);

}  // namespace puna::worker
