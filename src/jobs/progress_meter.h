// Turns a job's reports into what is shown: never backward, with speed and remaining time, a few times a second.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/units.h"
#include "wire/job.h"

namespace puna::jobs {

class ProgressMeter {
 public:
  static constexpr Milliseconds kInterval{250};

  void report(wire::JobProgress reported, MonotonicTime now);
  // The last report of this attempt, if there was one.
  [[nodiscard]] const std::optional<wire::JobProgress>& current() const { return current_; }
  // When the newest report should be shown; nothing when it was.
  [[nodiscard]] std::optional<MonotonicTime> due() const;
  void shown(MonotonicTime now);
  // A new attempt may begin anywhere.
  void restart();

 private:
  std::optional<double> measure(std::int64_t done, MonotonicTime now);

  std::optional<wire::JobProgress> current_;
  bool pending_ = false;
  std::optional<MonotonicTime> last_shown_;
  // Where the measure of speed stands.
  std::optional<MonotonicTime> sampled_at_;
  std::int64_t sampled_done_ = 0;
  std::optional<double> speed_;
};

}  // namespace puna::jobs
