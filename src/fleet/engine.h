// From what is to be served to the process that does it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

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
};

// `program worker …` for a builtin engine.
[[nodiscard]] std::vector<std::string> worker_command(const WorkerCommand& command);

}  // namespace puna::fleet
