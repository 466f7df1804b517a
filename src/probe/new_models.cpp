#include "probe/new_models.h"

#include "base/log.h"
#include "base/settings_registry.h"

namespace puna::probe {
namespace {

constexpr std::string_view kOwnStore = "puna";

bool is_over(wire::JobState state) {
  return state == wire::JobState::completed || state == wire::JobState::failed || state == wire::JobState::cancelled;
}

}  // namespace

NewModels::NewModels(Parts parts)
    : parts_(parts),
      seen_(parts.events.latest()),
      subscription_(parts.events.subscribe([this] {
        const std::lock_guard lock(mutex_);
        published_ = true;
        wake_.notify_all();
      })),
      thread_([this](const std::stop_token& stop) { attend(stop); }) {}

NewModels::~NewModels() = default;

void NewModels::attend(const std::stop_token& stop) {
  look();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return published_; })) return;
      published_ = false;
    }
    if (concerns_us()) look();
  }
}

bool NewModels::concerns_us() {
  bool out = false;
  for (auto batch = parts_.events.since(seen_); !batch.events.empty(); batch = parts_.events.since(seen_)) {
    seen_ = batch.events.back()->sequence;
    out = out || batch.gap;
    for (const auto& event : batch.events) {
      const auto* id = event->data.if_contains("id");
      const bool ours = event->type == "job.updated" && job_ && id && id->is_string() && id->get_string() == *job_;
      out = out || ours || event->type == "model.added" || event->type == "model.updated" || event->type == "setting.changed";
    }
  }
  return out;
}

bool NewModels::job_has_ended() {
  if (!job_) return true;
  const auto job = parts_.queue.get(*job_);
  if (job && !is_over(job->state)) return false;
  job_.reset();
  return true;
}

void NewModels::look() {
  if (!job_has_ended() || !parts_.settings.snapshot()->get(setting::kProbeModels)) return;
  const auto models = parts_.library.list();
  if (!models) return log::warning("probe", "new models cannot be looked for", {{"error", models.error().text()}});
  for (const auto& model : *models) {
    if (model.store != kOwnStore || model.alias_of || model.probe || !can_be_probed(model)) continue;
    const auto print = parts_.library.print(model.name);
    if (!print || !tried_.insert(*print).second) continue;
    const auto job = parts_.prober.submit(parts_.queue, model.name);
    if (job) {
      job_ = job->id;
      return;
    }
    log::info("probe", "a model is not tried", {{"model", model.name}, {"error", job.error().text()}});
    if (job.error().code != Code::overloaded) continue;
    tried_.erase(*print);  // with the next event
    return;
  }
}

}  // namespace puna::probe
