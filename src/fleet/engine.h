// From what is to be served to the process that does it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fleet/endpoint.h"
#include "fleet/launch.h"
#include "fleet/lease.h"
#include "fleet/options.h"

namespace puna::fleet {

struct WorkerCommand {
  const Launch& launch;
  Purpose purpose = Purpose::generate;
  const FleetOptions& options;
  std::filesystem::path program;
  std::filesystem::path socket;
  int status_fd = 3;
  std::filesystem::path warm = {};  // where conversations are saved; empty: nowhere
};

// What every worker may know of our environment, and what its profile adds; a value "$NAME" is taken from ours.
[[nodiscard]] os::Environment worker_environment(const os::Environment& added);

// `program worker …` for a builtin engine.
[[nodiscard]] std::vector<std::string> worker_command(const WorkerCommand& command);

// A launch's own command with its values in their places, and where it will answer: at a free port, or at `socket`. A program without a
// slash is looked for in PATH.
struct ForeignCommand {
  std::vector<std::string> argv;
  Endpoint endpoint;
};
[[nodiscard]] Result<ForeignCommand> foreign_command(const Launch& launch, const FleetOptions& options,
                                                     const std::filesystem::path& socket);

}  // namespace puna::fleet
