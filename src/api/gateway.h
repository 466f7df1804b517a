// The way of an inference request through the daemon: lease a worker, pass the body on, bring the answer back.
#pragma once

#include "api/call.h"
#include "api/openai/parameters.h"
#include "fleet/lease.h"

namespace puna::api {

struct Inference {
  fleet::Purpose purpose = fleet::Purpose::generate;
  std::string_view target;  // the worker's path
  std::string model;
  std::string body;
  bool stream = false;
  bool tools = false;
  std::optional<std::string> keep_alive;
};

// Streams or sends the worker's answer. An engine's refusal comes back as an Error; a worker that dies in the middle of a stream ends it
// with an error event. Cancelled by a client that leaves: the transfer is dropped, and the engine stops within one token.
[[nodiscard]] net::Task<Result<>> infer(Call& call, Inference inference);

}  // namespace puna::api
