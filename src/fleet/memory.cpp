#include "fleet/memory.h"

namespace puna::fleet {

MemoryPools MemoryNeed::pools() const {
  MemoryPools out = devices;
  Bytes elsewhere;
  for (const auto& [device, bytes] : devices) elsewhere += bytes;
  out[kSystemMemory] = total() - elsewhere;
  return out;
}

}  // namespace puna::fleet
