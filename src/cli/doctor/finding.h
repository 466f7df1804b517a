// What `puna doctor` found out.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/settings.h"
#include "os/environment.h"
#include "os/hardware.h"
#include "os/memory_speed.h"
#include "os/nvidia.h"
#include "os/places.h"
#include "wire/model.h"
#include "wire/system.h"

namespace puna::cli {

enum class Severity { good, note, warning, problem };
BOOST_DESCRIBE_ENUM(Severity, good, note, warning, problem)

struct Finding {
  Severity severity = Severity::good;
  std::string area;    // "daemon"
  std::string text;    // what is so
  std::string advice;  // what to do; empty where there is nothing to do
};
BOOST_DESCRIBE_STRUCT(Finding, (), (severity, area, text, advice))

// What was found out of the machine itself.
struct Machine {
  os::HardwareInfo hardware;
  std::optional<os::MemorySpeed> speed;  // absent: not measured
  Result<std::optional<os::NvidiaDriver>> nvidia = std::optional<os::NvidiaDriver>();
  std::optional<Result<wire::Compute>> compute;  // absent: nobody can tell
};

// What the checks look at; the daemon's part is absent where none answers.
struct Patient {
  os::Environment environment;
  os::Places places;
  const SettingsStore& settings;
  Machine machine;
  std::optional<std::string> other_daemon;  // PUNA_HOST's
  std::optional<wire::Status> status;
  std::optional<Error> daemon_error;  // why a daemon that listens does not answer
  std::optional<wire::ModelList> library;
};

struct Check {
  std::string_view area;
  std::vector<Finding> (*look)(const Patient&);
};
// In the order in which they are told.
[[nodiscard]] std::span<const Check> checks();

}  // namespace puna::cli
