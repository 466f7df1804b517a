// The job kind "probe": a model is tried in a child process when nothing else runs, and the library keeps what came out.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/event_bus.h"
#include "base/settings.h"
#include "jobs/queue.h"
#include "jobs/spec.h"
#include "model/library.h"
#include "os/hardware.h"
#include "wire/model.h"
#include "wire/probe.h"

namespace puna::probe {

struct ProberParts {
  const SettingsStore& settings;
  EventBus& events;
  model::Library& library;
  std::filesystem::path program;  // whose child tries
  // The fleet's workers as they are; asked on a job's thread.
  std::function<Result<std::vector<wire::RunningModel>>(const std::stop_token&)> running;
  std::function<os::MemoryNow()> memory = [] { return os::probe_memory(); };
};

// Thread-safe. Must outlive the queue that runs its jobs.
class Prober {
 public:
  explicit Prober(ProberParts parts) : parts_(std::move(parts)) {}

  // For the queue: beside everything else, one at a time. Waits while a worker starts, loads or answers, and while Puna's own models hold
  // the memory; a child that runs when one begins is ended at once, and begins anew later. Memory that others hold is not waited for:
  // then the weights are not tried, and the finding says so. A crash of the child is a finding. The result is a wire::Model.
  [[nodiscard]] jobs::JobSpec job_spec();
  // Whatever is known of it already. Code::unsupported for what cannot be loaded by its kind. Blocks.
  [[nodiscard]] Result<wire::Job> submit(jobs::Queue& queue, std::string_view model);

 private:
  [[nodiscard]] Result<json::value> run(jobs::JobContext& context);
  [[nodiscard]] Result<wire::ModelProbe> try_model(jobs::JobContext& context, const wire::ModelDetail& model);

  const ProberParts parts_;
};

// Whether there is anything to try: a whole GGUF without a problem.
[[nodiscard]] bool can_be_probed(const wire::Model& model);

}  // namespace puna::probe
