// Who may do what.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace puna::wire {

// What a key allows. `admin` includes all, `manage` includes `read`, `read` includes `metrics`.
enum class Scope {
  inference,  // use models: every dialect's requests, and its list of models
  metrics,    // the Prometheus page
  read,       // see models, jobs, what runs, events, the machine
  manage,     // pull, make, load and remove models; jobs; searches in hubs
  admin,      // settings, keys, everybody's usage, logs, the end of the daemon
};
BOOST_DESCRIBE_ENUM(Scope, inference, metrics, read, manage, admin)

enum class Priority { low, normal, high };
BOOST_DESCRIBE_ENUM(Priority, low, normal, high)

}  // namespace puna::wire
