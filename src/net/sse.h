// Server-sent events: writing frames, and reading them from a stream cut anywhere.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace puna::net {

struct SseEvent {
  std::string event;  // empty: "message"
  std::string data;
  std::string id;  // the last id seen in the stream, as the specification has it
};

// One frame; empty `event` and `id` are left out, line breaks in `data` become further data lines.
[[nodiscard]] std::string sse_frame(std::string_view event, std::string_view id, std::string_view data);
// Keeps proxies and readers from calling an idle stream dead.
inline constexpr std::string_view kSsePing = ": ping\n\n";

// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
class SseParser {
 public:
  using Sink = std::function<void(SseEvent)>;
  explicit SseParser(Bytes max_event = mib(16)) : max_event_(max_event) {}

  // Calls the sink for each event that is complete. Code::too_large when one exceeds the limit; the parser is then done for.
  [[nodiscard]] Result<> feed(std::string_view bytes, const Sink& sink);
  [[nodiscard]] const std::string& last_id() const { return last_id_; }
  [[nodiscard]] std::optional<Milliseconds> retry() const { return retry_; }

 private:
  void take_line(std::string_view line, const Sink& sink);
  void take_field(std::string_view name, std::string_view value);

  Bytes max_event_;
  std::string line_;  // an unfinished line
  bool after_cr_ = false;
  bool at_start_ = true;
  bool has_data_ = false;
  std::string event_, data_, last_id_;
  std::optional<Milliseconds> retry_;
};

}  // namespace puna::net
