// A job in memory. Internal to jobs; guarded by the queue's mutex.
#pragma once

#include <thread>

#include "jobs/progress_meter.h"
#include "jobs/record.h"
#include "jobs/spec.h"

namespace puna::jobs {

// Why a running function was asked to end, and so where its job goes when it does.
enum class Intent { none, cancel, pause, requeue, interrupt };

struct Entry {
  Record record;
  const JobSpec* spec = nullptr;  // null: this program does not know the kind
  ProgressMeter meter;
  std::jthread thread;
  Intent intent = Intent::none;
  int failures = 0;            // in a row, without a checkpoint between
  MonotonicTime not_before{};  // of the next attempt
  int waiters = 0;             // threads inside wait(): the entry must stay
};

}  // namespace puna::jobs
