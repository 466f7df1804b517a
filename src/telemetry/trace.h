// Where a piece of work stands in a trace, as W3C's Trace Context (https://www.w3.org/TR/trace-context/) carries it between programs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/http_types.h"
#include "telemetry/span.h"

namespace puna::telemetry {

// The piece of work itself, from which its span and those below it are made. A value.
class Trace {
 public:
  // Of a request: below what its headers name, as that says whether it is recorded; else, or where they are malformed, at the top of a
  // trace of its own, which is recorded.
  [[nodiscard]] static Trace begin(const net::Headers& headers, const Clock& clock);

  // A further piece of work below this one.
  [[nodiscard]] Trace below() const;
  [[nodiscard]] bool sampled() const { return sampled_; }
  // Its span, from one moment to another.
  [[nodiscard]] Span span(std::string name, SpanKind kind, MonotonicTime from, MonotonicTime to) const;
  // For a request that it makes of another program.
  void write(net::Headers& headers) const;

 private:
  [[nodiscard]] WallTime wall(MonotonicTime moment) const;

  TraceId trace_{};
  SpanId id_{};
  std::optional<SpanId> parent_;
  bool sampled_ = true;
  std::string state_;
  // The same moment, so that all spans of a trace are measured by one clock.
  WallTime wall_;
  MonotonicTime monotonic_;
};

// Lower case hexadecimal digits.
[[nodiscard]] std::string hex(const TraceId& id);
[[nodiscard]] std::string hex(const SpanId& id);

}  // namespace puna::telemetry
