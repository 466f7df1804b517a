// How an inference request ended: where accounting, metrics and spans are hung.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/engine_usage.h"
#include "app/workbench.h"
#include "base/units.h"
#include "fleet/lease.h"
#include "telemetry/trace.h"

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
  std::string asked;          // as the request had it
  std::string_view target;    // the engine's path
  bool stream = false;
  InferenceOutcome outcome = InferenceOutcome::answered;
  std::optional<Error> error;  // unless answered
  EngineUsage usage;
  struct Moments {
    MonotonicTime arrived;
    std::optional<MonotonicTime> slot;        // of a loaded worker
    std::optional<fleet::Lease::Load> load;   // of that worker
    std::optional<MonotonicTime> first_byte;  // of the engine's answer
    MonotonicTime ended;
  };
  Milliseconds waited{0};  // for its slot, the load of the model included; so far when it had none
  Moments when;
  std::optional<telemetry::Trace> trace;  // absent: nobody is told spans

  [[nodiscard]] Milliseconds since_arrival(MonotonicTime moment) const { return std::chrono::round<Milliseconds>(moment - when.arrived); }
  [[nodiscard]] std::optional<Milliseconds> first_byte() const {
    return when.first_byte ? std::optional(since_arrival(*when.first_byte)) : std::nullopt;
  }
  [[nodiscard]] Milliseconds total() const { return since_arrival(when.ended); }
};

// Called once for each request that reached the gateway, on the network thread. Must not block.
void report(app::Workbench& workbench, const InferenceEnd& end);

}  // namespace puna::api
