// Whether a model fits into memory, and the sum that says so.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "fleet/schedule/memory.h"

namespace puna::fleet {

// What models may take together.
struct MemoryBudget {
  MemoryPools capacity;  // a place that is not named has no limit
  Bytes total;           // of the machine, for the message
};

// What a model in memory takes, and why it stays.
struct HeldMemory {
  std::string model;
  MemoryPools pools;
  bool pinned = false;
  bool busy = false;
};

[[nodiscard]] bool fits(const MemoryPools& need, const MemoryPools& held, const MemoryPools& capacity);
void add(MemoryPools& to, const MemoryPools& pools);

// "needs 5.1 GiB: 4.2 GiB weights + 614 MiB KV for 4 x 4096 tokens + 300 MiB compute; 7.4 GiB of 16.0 GiB are available to models,
// 3.0 GiB held by qwen (busy)"
[[nodiscard]] std::string arithmetic(const MemoryNeed& need, const MemoryBudget& budget, const std::vector<HeldMemory>& held);
// Code::out_of_memory, with the arithmetic and the ways out, for a model that does not fit even when every other one but the pinned
// is gone.
[[nodiscard]] Error does_not_fit(const std::string& model, const MemoryNeed& need, const MemoryBudget& budget,
                                 const std::vector<HeldMemory>& pinned);

// Code::not_found names the first that is not there. Touches the disk.
[[nodiscard]] Result<> require_files(const std::vector<std::filesystem::path>& files);

}  // namespace puna::fleet
