// llama.cpp's slots: one conversation's keys and values each. Everything here goes through the server's queue of tasks, between two steps
// of inference, so that no step is disturbed.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "os/memory_file.h"

struct server_context;  // NOLINT(readability-identifier-naming): llama.cpp's

namespace puna::worker {

using AdapterScales = std::map<int, float>;  // by the place among the adapters that were loaded

struct SlotView {
  int id = 0;
  bool busy = false;
  int task = -1;                // the last one; later tasks have greater numbers
  std::int64_t tokens = 0;      // whose keys and values it holds
  AdapterScales adapters = {};  // of the last task, as its request had them
};

struct SlotState {
  os::MemoryFile bytes;
  std::vector<std::int32_t> tokens;  // empty: images or sound are among them
};

// Thread-safe. Every call fails with Code::deadline_exceeded when inference does not come to it in time.
class Slots {
 public:
  explicit Slots(server_context& context) : context_(context) {}

  [[nodiscard]] Result<std::vector<SlotView>> list(Milliseconds limit) const;
  // Of a slot that is not busy.
  [[nodiscard]] Result<SlotState> save(int slot, Milliseconds limit) const;
  // Replaces what the slot holds; on failure it is empty.
  [[nodiscard]] Result<> restore(int slot, const os::MemoryFile& state, Milliseconds limit) const;
  // llama.cpp forgets what a slot holds when the next request has other adapters than the last one had: makes these the last ones, by a
  // task of one token.
  [[nodiscard]] Result<> adopt(int slot, const AdapterScales& adapters, Milliseconds limit) const;

 private:
  server_context& context_;
};

}  // namespace puna::worker
