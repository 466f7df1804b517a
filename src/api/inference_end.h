// How an inference request ended: where accounting and metrics are hung.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/engine_usage.h"
#include "app/workbench.h"
#include "base/units.h"
#include "fleet/lease.h"

namespace puna::api {

enum class InferenceOutcome {
  answered,
  refused,    // the fault was the request's, or there was no room for it
  failed,     // the worker's fault, or ours; also in the middle of a stream
  cancelled,  // the client left
};
BOOST_DESCRIBE_ENUM(InferenceOutcome, answered, refused, failed, cancelled)

struct InferenceEnd {
  fleet::LeaseOptions lease;  // who asked, for which purpose, and the request's id
  std::string model;          // the full name; as it was asked for when there was no worker for it
  std::string_view target;    // the engine's path
  bool stream = false;
  InferenceOutcome outcome = InferenceOutcome::answered;
  std::optional<Error> error;  // unless answered
  EngineUsage usage;
  Milliseconds waited{0};                  // for the worker, the load of the model included
  std::optional<Milliseconds> first_byte;  // of the engine's answer, from the request's arrival
  Milliseconds total{0};
};

// Called once for each request that reached the gateway, on the network thread. Must not block.
void report(app::Workbench& workbench, const InferenceEnd& end);

}  // namespace puna::api
