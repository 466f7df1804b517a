// What llama.cpp has allocated for a model and its context.
#pragma once

#include <vector>

#include "wire/worker.h"

struct llama_context;  // NOLINT(readability-identifier-naming): llama.cpp's

namespace puna::worker {

// For each device; whatever lies in main memory is "CPU". Bytes of buffers, whether their pages were touched yet or not.
[[nodiscard]] std::vector<wire::WorkerMemory> engine_memory(const llama_context* context);

}  // namespace puna::worker
