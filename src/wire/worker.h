// What a worker process tells the daemon that started it: one JSON object a line on its status descriptor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/error.h"
#include "wire/model.h"

namespace puna::wire {

enum class WorkerReport { loading, ready, failure };
BOOST_DESCRIBE_ENUM(WorkerReport, loading, ready, failure)

// Bytes that the engine has allocated on one device.
struct WorkerMemory {
  std::string device;  // "CPU", "CUDA0"
  std::int64_t weights = 0;
  std::int64_t context = 0;  // KV cache and recurrent state
  std::int64_t compute = 0;
};
BOOST_DESCRIBE_STRUCT(WorkerMemory, (), (device, weights, context, compute))

// `report` says which of the other members are there.
struct WorkerStatus {
  WorkerReport report = WorkerReport::loading;
  std::optional<double> progress;              // loading: 0 to 1, never less than before
  std::optional<std::int64_t> context_length;  // ready: tokens, for each of the slots
  std::optional<std::int64_t> slots;
  std::optional<std::int64_t> threads;
  std::optional<std::vector<std::string>> devices;  // what computes: "CPU (native)", "CUDA0 (NVIDIA H200)"
  std::optional<std::vector<WorkerMemory>> memory;  // ready: for each device
  std::optional<WorkerFault> fault;                 // failure: the last line; the process ends
  std::optional<std::string> message;
};
BOOST_DESCRIBE_STRUCT(WorkerStatus, (), (report, progress, context_length, slots, threads, devices, memory, fault, message))

// What `puna worker --check FILE` prints: one of the two.
struct CheckReport {
  std::optional<json::object> summary;  // gguf::Summary
  std::optional<ErrorDetail> error;
};
BOOST_DESCRIBE_STRUCT(CheckReport, (), (summary, error))

}  // namespace puna::wire
