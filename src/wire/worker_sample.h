// What a worker uses and does at one moment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/model.h"

namespace puna::wire {

struct WorkerSample {
  std::string name;
  std::string purpose;
  WorkerState state = WorkerState::starting;
  std::int64_t pid = 0;
  std::int64_t active_requests = 0;
  std::int64_t memory_bytes = 0;             // resident
  std::optional<std::int64_t> device_bytes;  // on GPUs, as the engine has allocated them; absent while it has not said
  double cpu_seconds = 0;                    // since its start
  std::optional<double> cpu_percent;         // of one core, since the sample before
  std::optional<double> tokens_per_second;   // written, since the sample before
  std::optional<std::int64_t> kv_tokens;     // in the KV cache; absent: the worker was too busy to say
  std::optional<std::int64_t> kv_capacity;
};
BOOST_DESCRIBE_STRUCT(WorkerSample, (),
                      (name, purpose, state, pid, active_requests, memory_bytes, device_bytes, cpu_seconds, cpu_percent, tokens_per_second,
                       kv_tokens, kv_capacity))

struct WorkerSamples {
  std::vector<WorkerSample> workers;
};
BOOST_DESCRIBE_STRUCT(WorkerSamples, (), (workers))

}  // namespace puna::wire
