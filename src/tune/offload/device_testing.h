// A device that behaves as GPUs do: with memory of its own, which nothing can read or write but by copies that it makes. Touching it
// otherwise ends the process. It computes by ggml's CPU backend, and it can lack things.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "base/units.h"
#include "tune/offload/device.h"

namespace puna::tune {

class FakeDevice {
 public:
  // Known to ggml as "FAKE0", a GPU, from the first call on. There is one, as it was made whenever reset() was called.
  static FakeDevice& get();
  void reset();
  [[nodiscard]] Device device() const;

  Bytes free = gib(1);             // of gib(1)
  std::set<std::string> lacks;     // operations: "OUT_PROD"
  Bytes gives = gib(1);            // it refuses to give more, whatever it said was free
  std::int64_t fails_at = -1;      // the graph, from 0, that it fails to compute
  bool starts = true;              // does not when asked to, otherwise
  std::int64_t graphs = 0;         // that it was given
  std::size_t taken = 0;           // bytes
  std::size_t most_taken = 0;      // at any time since reset()
  std::size_t travelled_down = 0;  // bytes copied to it
};

}  // namespace puna::tune
