// When nobody waits for a model: the time to try another one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/event_bus.h"
#include "base/units.h"
#include "wire/model.h"

namespace puna::probe {

// Whether all that there are rest.
[[nodiscard]] bool is_quiet(const std::vector<wire::RunningModel>& workers);
// That they take, as it was measured or else predicted.
[[nodiscard]] Bytes held_by(const std::vector<wire::RunningModel>& workers);

// News of the fleet, for one thread that blocks.
class FleetNews {
 public:
  explicit FleetNews(EventBus& events);

  // A worker has changed since the last call, or since the beginning. Code::cancelled.
  [[nodiscard]] Result<> wait(const std::stop_token& stop);
  // A worker has begun to start, load or answer since the last call, or a request to wait. Code::cancelled.
  [[nodiscard]] Result<> wait_for_work(const std::stop_token& stop);

 private:
  enum class Seen : std::uint8_t { nothing, change, work };
  [[nodiscard]] Seen read();
  [[nodiscard]] Result<Seen> next(const std::stop_token& stop);

  EventBus& events_;
  std::uint64_t seen_;
  std::mutex mutex_;  // guards published_
  std::condition_variable_any wake_;
  bool published_ = false;
  EventBus::Subscription subscription_;  // last: it uses what is above
};

// Asks `stopping` to stop as soon as there is work; looks from its construction on.
class Yielding {
 public:
  Yielding(EventBus& events, std::stop_source& stopping);

 private:
  FleetNews news_;
  std::jthread watcher_;
};

}  // namespace puna::probe
