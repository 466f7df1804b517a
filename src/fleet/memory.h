// What a model takes in memory: predicted from its files, corrected by what was measured.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/units.h"

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

}  // namespace puna::fleet
