// A request as OpenTelemetry's spans: one of the request, one of each inference below it, and below that where its time went. Attributes
// are those of OpenTelemetry's conventions for HTTP and generative AI; what was said is in none of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/inference_end.h"
#include "telemetry/span.h"
#include "telemetry/trace.h"

namespace puna::api {

struct RequestEnd {
  std::string method;
  std::string_view route;  // "/api/v1/models/{name}"; empty: none was found
  std::string path;
  bool tls = false;
  int status = 0;  // 0: nothing was sent
  std::string id;
  MonotonicTime began;
  MonotonicTime ended;
};

[[nodiscard]] telemetry::Span request_span(const telemetry::Trace& trace, const RequestEnd& end);

// The inference, which has a trace, and then what it consists of: waiting ("queue"), a load that it waited for ("load"), the prompt
// ("prefill"), the answer ("generate").
[[nodiscard]] std::vector<telemetry::Span> inference_spans(const InferenceEnd& end);

}  // namespace puna::api
