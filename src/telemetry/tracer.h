// Where spans go: a queue that nobody waits for, emptied in batches.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/settings.h"
#include "telemetry/sender.h"
#include "telemetry/trace.h"

namespace puna::telemetry {

// Off while the setting telemetry.otlp_endpoint is empty. Network thread.
class Tracer {
 public:
  struct Parts {
    net::Io& io;
    net::HttpClient& http;
    std::function<std::shared_ptr<const Settings>()> settings;
    const Clock& clock;
    SendLimits limits = {};
    Milliseconds delay{1'000};  // that a span waits for others
  };
  explicit Tracer(Parts parts);
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // nullopt while there is nobody to tell.
  [[nodiscard]] std::optional<Trace> begin(const net::Headers& headers = {}) const;
  // Returns at once; of a trace that is not recorded nothing is kept. Beyond a bound of spans that wait, further ones are dropped.
  void record(const Trace& trace, Span span);

  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t dropped = 0;  // the queue was full, or the collector could not be reached or did not want them
    std::size_t waiting = 0;
  };
  [[nodiscard]] Counts counts() const { return {sent_, dropped_, waiting_.size()}; }

  // Before the end, which must not come while batches are sent: sends what waits within the limit, and drops the rest.
  [[nodiscard]] net::Task<void> close(Milliseconds limit);

 private:
  void send_now();
  static net::Task<void> send_all(Tracer& tracer);
  [[nodiscard]] std::vector<Span> take_batch();
  [[nodiscard]] net::Task<Result<std::int64_t>> deliver(std::span<const Span> batch);
  void tell(const Result<std::int64_t>& sent);
  [[nodiscard]] Attributes resource() const;

  Parts parts_;
  std::string instance_;
  Sender sender_;
  std::deque<Span> waiting_;
  std::uint64_t sent_ = 0;
  std::uint64_t dropped_ = 0;
  bool failing_ = false;  // what the log knows
  bool due_ = false;
  net::Watchdog timer_;
  net::Spawned sending_;
};

}  // namespace puna::telemetry
