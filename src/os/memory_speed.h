// How fast this machine reads its memory: what a model's speed of writing is bound by.
#pragma once

#include <cstdint>
#include <stop_token>

#include "base/units.h"

namespace puna::os {

struct MemorySpeed {
  double bytes_per_second = 0;  // read by all threads together
  std::uint32_t threads = 0;
  Bytes buffer;  // that was read again and again, larger than the caches; zero: there was no room for one
};

// Reads a buffer with one thread for each usable core for about `duration`; a stop ends it early, with what was measured so far. Takes at
// most an eighth of the memory that is available.
[[nodiscard]] MemorySpeed measure_memory_speed(Milliseconds duration, const std::stop_token& stop);

}  // namespace puna::os
