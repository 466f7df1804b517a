// Telling the daemon how we are.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/worker.h"

namespace puna::worker {

struct Readiness {
  std::int64_t context_length = 0;
  std::int64_t slots = 0;
  std::int64_t threads = 0;
  std::vector<std::string> devices;
  std::vector<wire::WorkerMemory> memory;
};

// Writes wire::WorkerStatus lines, or nothing without a descriptor. Thread-safe. When the daemon has gone there is nobody to tell: the
// lifeline then ends the process.
class StatusWriter {
 public:
  explicit StatusWriter(std::optional<int> descriptor) : descriptor_(descriptor) {}

  // Steps below half a percent are left out.
  void loading(double progress);
  void ready(const Readiness& readiness);
  void failed(wire::WorkerFault fault, std::string_view message);
  [[nodiscard]] std::optional<int> descriptor() const { return descriptor_; }

 private:
  void write(const wire::WorkerStatus& status);

  const std::optional<int> descriptor_;
  std::mutex mutex_;
  double reported_ = -1;
  bool deaf_ = false;
};

}  // namespace puna::worker
