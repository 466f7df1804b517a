// From what a dead worker left behind to a reason with advice.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "os/process.h"
#include "wire/model.h"

namespace puna::fleet {

struct Evidence {
  std::optional<wire::WorkerFailure> reported;  // the worker's own last word
  std::optional<os::ExitStatus> exit;
  bool was_ready = false;
  std::optional<Bytes> memory_limit = std::nullopt;  // of the process
  bool oom_kill_seen = false;                        // the kernel ended some process for want of memory while this one ended
  std::vector<std::string> log;
};

[[nodiscard]] wire::WorkerFailure diagnose(const Evidence& evidence);

// What a request gets that ran into the failure.
[[nodiscard]] Code code_of(wire::WorkerFault fault);
[[nodiscard]] Error to_error(const std::string& model, const wire::WorkerFailure& failure);

// Processes that the kernel has ended for want of memory: in our control group, or else on the whole machine. Grows only.
[[nodiscard]] std::uint64_t count_oom_kills();

}  // namespace puna::fleet
