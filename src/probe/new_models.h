// Has every model of the library tried once, when it is new and when its files have changed.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "base/event_bus.h"
#include "base/settings.h"
#include "jobs/queue.h"
#include "model/library.h"
#include "probe/prober.h"

namespace puna::probe {

// While it lives, and the setting models.probe says so: models of the library's own that nobody has tried get a job, one after the other,
// so that the queue stays free. Those of other programs are left alone: reading them is not what their owner asked for. A job that fails
// is not repeated until the next start of the daemon, and a trial that had any outcome not at all.
class NewModels {
 public:
  struct Parts {
    EventBus& events;
    const SettingsStore& settings;
    model::Library& library;
    Prober& prober;
    jobs::Queue& queue;
  };
  explicit NewModels(Parts parts);
  ~NewModels();
  NewModels(const NewModels&) = delete;
  NewModels& operator=(const NewModels&) = delete;

 private:
  void attend(const std::stop_token& stop);
  void look();
  [[nodiscard]] bool concerns_us();  // what has happened since the last look
  [[nodiscard]] bool job_has_ended();

  const Parts parts_;
  std::uint64_t seen_ = 0;
  std::set<std::string> tried_;     // prints, by this object
  std::optional<std::string> job_;  // under way
  std::mutex mutex_;                // guards published_
  std::condition_variable_any wake_;
  bool published_ = true;
  EventBus::Subscription subscription_;
  std::jthread thread_;  // last: it uses what is above
};

}  // namespace puna::probe
