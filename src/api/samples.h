// What workers use and do right now.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/workbench.h"
#include "base/clock.h"
#include "wire/worker_sample.h"

namespace puna::api {

// Figures between two looks, such as tokens a second, need the look before. Nothing runs between looks. Network thread.
class WorkerSampler {
 public:
  explicit WorkerSampler(app::Workbench& workbench) : workbench_(workbench) {}
  [[nodiscard]] net::Task<std::vector<wire::WorkerSample>> look();

 private:
  struct Before {
    MonotonicTime when;
    Milliseconds cpu{0};
    std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> slots;  // by slot: its task, and the tokens that this one wrote
  };
  net::Task<void> look_at(const fleet::WorkerPlace& place, wire::WorkerSample& sample);
  void take_slots(const json::array& slots, wire::WorkerSample& sample, Before& now, const Before* before);

  app::Workbench& workbench_;
  std::map<std::int64_t, Before> before_;  // by process
};

}  // namespace puna::api
