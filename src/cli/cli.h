// `puna COMMAND …`.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/screen/console.h"
#include "wire/system.h"

namespace puna::cli {

// What `puna serve` was asked for.
struct ServeRequest {
  std::map<std::string, std::string> flags;  // settings by key
  bool on_demand = false;
  std::optional<int> ready_descriptor;
};

// What main() lends, so that this module needs no daemon to be built and tested.
struct EntryPoints {
  std::function<Result<>(const ServeRequest&)> serve;
  // What models can compute on here.
  std::function<Result<wire::Compute>()> compute;
};

// Runs the command in the arguments and returns the exit code.
[[nodiscard]] int run(int argc, char** argv, const EntryPoints& entry_points);
// The same with everything it touches as a value.
[[nodiscard]] int run(const std::vector<std::string>& words, Console& console, const os::Environment& environment,
                      const EntryPoints& entry_points);

}  // namespace puna::cli
