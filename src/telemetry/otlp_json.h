// Spans as OTLP's JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): identifiers in hexadecimal digits, 64-bit
// numbers as texts, enumerators as numbers.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "telemetry/span.h"

namespace puna::telemetry {

// The body of a request to /v1/traces. `resource` says who the spans are of.
[[nodiscard]] std::string otlp_json(const Attributes& resource, std::span<const Span> spans);

// What a collector says to a request that it took: of how many spans it wanted nothing. 0 for an answer that says nothing of it.
[[nodiscard]] std::int64_t rejected_spans(std::string_view answer);

}  // namespace puna::telemetry
