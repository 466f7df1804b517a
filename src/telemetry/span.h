// What OpenTelemetry calls a span: one piece of work, when it began and ended, and what is known of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace puna::telemetry {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

enum class SpanKind { internal = 1, server = 2 };  // numbered as in OTLP

using AttributeValue = std::variant<std::int64_t, std::string, std::vector<std::string>>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

struct Span {
  TraceId trace{};
  SpanId id{};
  std::optional<SpanId> parent;
  std::string state;  // W3C tracestate
  std::string name;
  SpanKind kind = SpanKind::internal;
  WallTime begin;
  WallTime end;
  Attributes attributes;
  bool failed = false;
};

}  // namespace puna::telemetry
