#include "worker/status.h"

#include <algorithm>

#include "os/descriptor.h"

namespace puna::worker {

void StatusWriter::write(const wire::WorkerStatus& status) {
  if (!descriptor_ || deaf_) return;
  deaf_ = !os::write_all(*descriptor_, json::to_text(json::encode(status)) + "\n");
}

void StatusWriter::loading(double progress) {
  constexpr double kStep = 0.005;
  const std::lock_guard lock(mutex_);
  progress = std::clamp(progress, 0.0, 1.0);
  if (progress < reported_ + kStep) return;
  reported_ = progress;
  wire::WorkerStatus status;
  status.report = wire::WorkerReport::loading;
  status.progress = progress;
  write(status);
}

void StatusWriter::ready(const Readiness& readiness) {
  const std::lock_guard lock(mutex_);
  wire::WorkerStatus status;
  status.report = wire::WorkerReport::ready;
  status.context_length = readiness.context_length;
  status.slots = readiness.slots;
  status.threads = readiness.threads;
  status.devices = readiness.devices;
  status.memory = readiness.memory;
  write(status);
}

void StatusWriter::failed(wire::WorkerFault fault, std::string_view message) {
  const std::lock_guard lock(mutex_);
  wire::WorkerStatus status;
  status.report = wire::WorkerReport::failure;
  status.fault = fault;
  status.message = message;
  write(status);
}

}  // namespace puna::worker
