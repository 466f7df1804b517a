// What a process uses right now.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "base/error.h"
#include "base/units.h"

namespace puna::os {

struct Usage {
  Bytes resident;
  std::size_t descriptors = 0;  // open ones
};
[[nodiscard]] Usage own_usage();

// Code::not_found when there is no such process.
[[nodiscard]] Result<Bytes> resident_memory(pid_t pid);

// What a process has in memory. Pages of files can be dropped and read again; the rest only goes with the process.
struct ProcessMemory {
  Bytes resident;
  Bytes anonymous;  // of these, what no file backs
};
// Code::not_found when there is no such process.
[[nodiscard]] Result<ProcessMemory> process_memory(pid_t pid);
struct ProcessUsage {
  Bytes resident;
  Milliseconds cpu{0};  // of all its threads, since its start
};
// Code::not_found when there is no such process.
[[nodiscard]] Result<ProcessUsage> process_usage(pid_t pid);

}  // namespace puna::os
