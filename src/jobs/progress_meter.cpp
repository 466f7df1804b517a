#include "jobs/progress_meter.h"

#include <algorithm>
#include <cmath>

namespace puna::jobs {
namespace {

using FloatSeconds = std::chrono::duration<double>;

// Speed is an average that forgets with this time constant, over samples that are at least so far apart.
constexpr double kMemorySeconds = 3;
constexpr Milliseconds kSample{200};

}  // namespace

void ProgressMeter::report(wire::JobProgress reported, MonotonicTime now) {
  if (current_ && current_->phase == reported.phase && current_->unit == reported.unit) {
    reported.done = std::max(reported.done, current_->done);
  } else {
    sampled_at_.reset();
    speed_.reset();
  }
  if (!reported.per_second) reported.per_second = measure(reported.done, now);
  if (!reported.eta_seconds && reported.total && reported.per_second.value_or(0) > 0) {
    const auto left = static_cast<double>(std::max<std::int64_t>(0, *reported.total - reported.done));
    reported.eta_seconds = static_cast<std::int64_t>(std::ceil(left / *reported.per_second));
  }
  current_ = std::move(reported);
  pending_ = true;
}

std::optional<double> ProgressMeter::measure(std::int64_t done, MonotonicTime now) {
  if (!sampled_at_) {
    sampled_at_ = now;
    sampled_done_ = done;
  } else if (now - *sampled_at_ >= kSample) {
    const double seconds = FloatSeconds(now - *sampled_at_).count();
    const double sample = static_cast<double>(done - sampled_done_) / seconds;
    const double weight = speed_ ? 1 - std::exp(-seconds / kMemorySeconds) : 1;
    speed_ = speed_.value_or(0) * (1 - weight) + sample * weight;
    sampled_at_ = now;
    sampled_done_ = done;
  }
  return speed_;
}

std::optional<MonotonicTime> ProgressMeter::due() const {
  if (!pending_) return std::nullopt;
  return last_shown_ ? *last_shown_ + kInterval : MonotonicTime{};
}

void ProgressMeter::shown(MonotonicTime now) {
  pending_ = false;
  last_shown_ = now;
}

void ProgressMeter::restart() {
  *this = ProgressMeter{};
}

}  // namespace puna::jobs
