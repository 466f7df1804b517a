// What a model takes in memory, predicted from the headers of its files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/units.h"
#include "fleet/launch.h"
#include "fleet/lease.h"
#include "fleet/options.h"
#include "gguf/reader.h"
#include "wire/worker.h"

namespace puna::fleet {

// Bytes by place: kSystemMemory, or a device by the name that the engine gives it ("CUDA0").
using MemoryPools = std::map<std::string, Bytes>;
inline constexpr const char* kSystemMemory = "system";

// The parts of what one worker takes.
struct MemoryNeed {
  Bytes weights;
  Bytes context;  // KV cache and recurrent state, of all slots
  Bytes compute;  // buffers for the largest step
  Bytes projector;
  Bytes adapters;
  Bytes process;  // code, vocabulary, threads
  std::int64_t slots = 0;
  std::int64_t context_length = 0;  // tokens for each slot
  MemoryPools devices;              // of these parts, what is not in the system's memory
  bool operator==(const MemoryNeed&) const = default;

  [[nodiscard]] Bytes total() const { return weights + context + compute + projector + adapters + process; }
  [[nodiscard]] MemoryPools pools() const;
};

// Of what an engine says that it has allocated: the bytes on devices that have a memory of their own.
[[nodiscard]] MemoryPools device_pools(const std::vector<wire::WorkerMemory>& engine);

// How a model is going to be loaded, as far as it decides about memory.
struct LoadShape {
  std::int64_t context_length = 4096;  // tokens for each slot; 0: what the model was trained for
  std::int64_t slots = 1;
  std::int64_t micro_batch = 512;
  gguf::TensorType cache_k = gguf::TensorType::f16;
  gguf::TensorType cache_v = gguf::TensorType::f16;
  bool flash_attention = true;
  bool embed = false;
  std::vector<gguf::TensorType> repacked;  // types that the CPU's kernels keep a second copy of, in another order
};
// The types that ggml (v0.5.0) repacks on a CPU with these features.
[[nodiscard]] std::vector<gguf::TensorType> repacked_types(const std::vector<std::string>& cpu_features);

// `parts` are the headers of a model's files of weights, the first one first. After llama.cpp (v0.5.0): llama-kv-cache.cpp,
// llama-kv-cache-iswa.cpp and llama-hparams.cpp for the context, which is exact for the architectures they describe by figures; the
// compute buffers are an estimate of the widest step.
[[nodiscard]] MemoryNeed predict(const std::vector<gguf::Header>& parts, const LoadShape& shape);

// The same for a launch, from its files. A file that cannot be read as GGUF counts with its size, one that is not there not at all: the
// load will say what is wrong with it. Reads headers; for the pool.
[[nodiscard]] MemoryNeed predict_launch(const Launch& launch, Purpose purpose, const FleetOptions& options);

}  // namespace puna::fleet
