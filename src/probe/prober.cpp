#include "probe/prober.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "base/settings_registry.h"
#include "fleet/schedule/memory.h"
#include "gguf/reader.h"
#include "probe/child.h"
#include "probe/quiet.h"

namespace puna::probe {
namespace {

constexpr std::string_view kKind = "probe";
constexpr std::int64_t kContext = 256;  // of the child's

struct ProbeRequest {
  std::string model;
};
BOOST_DESCRIBE_STRUCT(ProbeRequest, (), (model))

std::string title_of(const json::value& request) {
  const auto wanted = json::decode<ProbeRequest>(request);
  return wanted ? fmt::format("probe {}", wanted->model) : "probe";
}

Result<Bytes> need_of(const wire::ModelDetail& model) {
  std::vector<gguf::Header> headers;
  for (const auto& file : model.files) {
    if (file.role != wire::FileRole::weights) continue;
    PUNA_TRY(auto header, gguf::Header::read_file(file.place));
    headers.push_back(std::move(header));
  }
  if (headers.empty()) return fail(Code::corrupt_data, "it has no weights");
  return fleet::predict(headers, {.context_length = kContext, .micro_batch = kContext}).total();
}

std::filesystem::path template_of(const wire::ModelDetail& model) {
  for (const auto& file : model.files)
    if (file.role == wire::FileRole::chat_template && model.recipe.chat_template) return file.place;
  return {};
}

void leave_weights_untried(wire::ModelProbe& probe, const std::string& why) {
  for (auto* finding : {&probe.loads, &probe.writes, &probe.embeds})
    if (finding->outcome == wire::ProbeOutcome::untried) finding->note = why;
}

// One model's trial, until it came to its end undisturbed.
class Trial {
 public:
  Trial(const ProberParts& parts, jobs::JobContext& context, const wire::ModelDetail& model)
      : parts_(parts), context_(context), model_(model), news_(parts.events) {}

  Result<wire::ModelProbe> run() {
    PUNA_TRY(need_, need_of(model_));
    while (true) {
      PUNA_TRY(const bool fits, wait_for_quiet());
      std::stop_source stopping;
      const std::stop_callback ended(context_.stop(), [&] { stopping.request_stop(); });
      const Yielding yielding(parts_.events, stopping);
      PUNA_TRY(const auto workers, parts_.running(context_.stop()));
      if (!is_quiet(workers)) continue;  // since before there was anybody to watch
      tell("trying");
      const ChildOrder order{parts_.program, model_.path, template_of(model_), fits};
      auto probe = run_child(order, stopping.get_token());
      PUNA_CHECK(context_.go_on());
      if (!probe && probe.error().code == Code::cancelled) continue;  // it gave way
      PUNA_CHECK(probe);
      if (!fits) leave_weights_untried(*probe, why_not_);
      return probe;
    }
  }

 private:
  // Until no worker works. Whether the weights fit beside those that rest; when only those are in the way, they are waited for, too.
  Result<bool> wait_for_quiet() {
    tell("waiting");
    while (true) {
      PUNA_TRY(const auto workers, parts_.running(context_.stop()));
      if (is_quiet(workers)) {
        const auto memory = parts_.memory();
        const double share = parts_.settings.snapshot()->get(setting::kModelMemory);
        const Bytes room(static_cast<std::uint64_t>(static_cast<double>(memory.available.count) * share));
        const Bytes held = held_by(workers);
        if (need_ + held <= room) return true;
        if (need_ > room || held == Bytes()) {
          why_not_ = fmt::format("it needs {}, and {} are available to models; `puna probe {}` tries again", format_bytes(need_),
                                 format_bytes(room), model_.model.name);
          return false;
        }
      }
      PUNA_CHECK(news_.wait(context_.stop()));
    }
  }

  void tell(std::string_view phase) { context_.progress({.phase = std::string(phase)}); }

  const ProberParts& parts_;
  jobs::JobContext& context_;
  const wire::ModelDetail& model_;
  FleetNews news_;
  Bytes need_;
  std::string why_not_;
};

}  // namespace

bool can_be_probed(const wire::Model& model) {
  const auto& can = model.details.capabilities;
  return !model.problem && model.details.format == "gguf" && !can.empty() && std::ranges::find(can, "adapter") == can.end();
}

jobs::JobSpec Prober::job_spec() {
  return {.kind = kKind,
          .title = title_of,
          .run = [this](jobs::JobContext& context) { return run(context); },
          .resumable = true,
          .background = true};
}

Result<wire::Job> Prober::submit(jobs::Queue& queue, std::string_view name) {
  PUNA_TRY(const auto model, parts_.library.find(name));
  if (model.problem) return fail(Code::conflict, fmt::format("model {}: {}", model.name, *model.problem));
  if (!can_be_probed(model)) return fail(Code::unsupported, fmt::format("model {} is nothing that can be loaded by itself", model.name));
  return queue.submit(kKind, json::encode(ProbeRequest{model.name}), model.name);
}

Result<json::value> Prober::run(jobs::JobContext& context) {
  PUNA_TRY(const auto request, json::decode<ProbeRequest>(context.request()));
  PUNA_TRY(const auto print, parts_.library.print(request.model));
  PUNA_TRY(const auto model, parts_.library.show(request.model));
  if (model.model.problem) return fail(Code::conflict, fmt::format("model {}: {}", model.model.name, *model.model.problem));
  PUNA_TRY(auto probe, Trial(parts_, context, model).run());
  probe.probed_at = format_time(std::chrono::system_clock::now());
  PUNA_TRY(const auto noted, parts_.library.note_probe(request.model, print, std::move(probe)));
  log::info("probe", "a model was tried", {{"model", noted.name}, {"findings", json::to_text(json::encode(noted.probe))}});
  return json::encode(noted);
}

}  // namespace puna::probe
