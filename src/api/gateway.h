// The way of an inference request through the daemon: lease a worker, pass the body on, bring the answer back.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/call.h"
#include "api/rendering.h"
#include "fleet/lease.h"
#include "wire/overflow.h"

namespace puna::api {

struct Inference {
  fleet::LeaseOptions lease;  // infer() adds whose request it is
  std::string_view target;    // the worker's path
  std::string model;
  std::string body;
  bool stream = false;
  bool tools = false;
  std::optional<wire::Overflow> overflow = {};  // for a conversation that is too long; absent: as the profile or the settings have it
  std::optional<std::vector<wire::AdapterUse>> adapters = {};  // instead of the model's own
  std::optional<std::int64_t> context = {};                    // tokens at least
  std::optional<telemetry::Trace> trace = {};                  // of the request; infer() adds it
  std::unique_ptr<Rendering> rendering = nullptr;              // null: the engine's answer passes through as it is
};

// Streams or sends the worker's answer. An engine's refusal comes back as an Error; a worker that dies in the middle of a stream ends it
// with an error event. Cancelled by a client that leaves: the transfer is dropped, and the engine stops within one token.
[[nodiscard]] net::Task<Result<>> infer(Call& call, Inference inference);

// The body of the engine's whole answer, for answers that are made of it otherwise, and for requests that no client waits for at the other
// end (a batch's line): then the lease says whose request it is. The rendering is not used.
[[nodiscard]] net::Task<Result<std::string>> infer_whole(Call& call, Inference inference);
[[nodiscard]] net::Task<Result<std::string>> infer_whole(app::Workbench& workbench, Inference inference);

}  // namespace puna::api
