// Whether what a worker had comes back when it ends.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/units.h"

namespace puna::fleet {

struct MemoryMark {
  Bytes own;        // that only the process has: what must come back
  Bytes available;  // to everybody
};

// Of a process that still runs; zeroes when it does not.
[[nodiscard]] MemoryMark mark_memory(pid_t pid);

struct MemoryReturn {
  bool gone = false;  // there is no such process any more: what only it had is the kernel's again
  Bytes returned;     // that
  Bytes available_before;
  Bytes available_after;  // other programs take and give, too: for the log
};

[[nodiscard]] MemoryReturn check_memory_return(pid_t pid, const MemoryMark& before);

}  // namespace puna::fleet
