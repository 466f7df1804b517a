#include "hub/pull.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "hub/default_name.h"
#include "hub/pull_run.h"
#include "model/library.h"
#include "model/name.h"
#include "model/quantization_name.h"
#include "os/sha256.h"

namespace puna::hub {
namespace {

constexpr std::string_view kKind = "pull";

std::string key_of(const StoredPull& pull) {
  return fmt::format("{} {} {} {} {}", pull.name.value_or("-"), pull.sha256.value_or("-"), pull.filter.value_or("-"),
                     pull.revision.value_or("-"), pull.source);
}

std::string title_of(const json::value& request) {
  const auto pull = json::decode<StoredPull>(request);
  if (!pull) return "pull";
  if (pull->update.value_or(false)) return fmt::format("update {}", pull->name.value_or(pull->source));
  return fmt::format("pull {}", pull->name.value_or(pull->source));
}

// Of a file or an URL the name is known at once; of a repository only when it is known what is in it.
Result<std::optional<std::string>> name_of(const wire::PullRequest& request, const Reference& reference) {
  std::optional<std::string> chosen = request.name;
  if (!chosen && !reference.place.empty()) {
    const auto path = std::string_view(reference.place).substr(0, reference.place.find_first_of("?#"));
    const auto raw = path.substr(path.rfind('/') + 1);
    const auto file = reference.catalogue == kUrl ? net::percent_decode(raw).value_or(std::string(raw)) : std::string(raw);
    if (reference.catalogue == kUrl && model::part_of(file))
      return fail(Code::unsupported,
                  fmt::format("{} is one part of a split model, of no use alone: pull the repository that it is in", printable(file)));
    chosen = default_name(model::stem_of(file));
    if (chosen->empty()) return fail(Code::invalid_argument, fmt::format("no model name can be made from {}: give one", reference.shown()));
  }
  if (!chosen) return std::nullopt;
  PUNA_TRY(const auto name, model::Name::parse(*chosen));
  return name.text();
}

Result<Reference> stored_reference(const StoredPull& pull) {
  return reference_of(wire::PullRequest{.source = pull.source, .filter = pull.filter, .revision = pull.revision});
}

}  // namespace

Pulls::Pulls(PullParts parts) : parts_(std::move(parts)) {}

jobs::JobSpec Pulls::job_spec() {
  return {.kind = kKind,
          .title = title_of,
          .run = [this](jobs::JobContext& context) { return run(context); },
          .resumable = true,  // what came is kept; failures that may pass are tried again inside, where progress counts
          .pauses_on = {Code::disk_full}};
}

Result<wire::Job> Pulls::submit(jobs::Queue& queue, const wire::PullRequest& request) {
  PUNA_TRY(auto reference, reference_of(request));
  StoredPull stored{.source = reference.text()};
  PUNA_TRY(stored.name, name_of(request, reference));
  if (request.sha256) {
    PUNA_TRY(stored.sha256, os::parse_sha256(*request.sha256));
  }
  const auto key = key_of(stored);
  if (!reference.secret_place.empty()) {
    stored.had_credentials = true;
    const std::lock_guard lock(mutex_);
    secrets_.insert_or_assign(key, std::move(reference.secret_place));
  }
  return queue.submit(kKind, json::encode(stored), key);
}

Result<wire::Job> Pulls::submit_update(jobs::Queue& queue, std::string_view name) {
  PUNA_TRY(const auto model, parts_.library.find(name));
  const auto upstream = model.store == "puna" ? upstream_of(model.provenance) : std::nullopt;
  if (!upstream)
    return fail(Code::unsupported, fmt::format("{} came from {}, where nothing newer can be asked for", model.name,
                                               model.source.empty() ? "nowhere that is known" : model.source));
  const StoredPull stored{.source = upstream->text(), .name = model.name, .update = true};
  return queue.submit(kKind, json::encode(stored), key_of(stored));
}

Result<json::value> Pulls::run(jobs::JobContext& context) {
  PUNA_TRY(const auto request, json::decode<StoredPull>(context.request()));
  const auto key = key_of(request);
  PUNA_TRY(auto reference, stored_reference(request));
  if (request.had_credentials.value_or(false)) {
    PUNA_TRY(reference.secret_place, secret_for(key));
  }
  auto result = PullRun(parts_, turns_, context, request).run(std::move(reference));
  // One that was only asked to end may go on later.
  if (result || result.error().code != Code::cancelled) forget_secret(key);
  if (!result) return fail(std::move(result).error());
  return json::encode(*result);
}

net::Task<Result<wire::PullPlan>> Pulls::plan(wire::PullRequest request) {
  PUNA_CO_TRY(auto reference, reference_of(request));
  PUNA_CO_TRY(const auto prepared, co_await parts_.hub.prepare(std::move(reference), std::move(request), Hub::Look::into_header));
  PUNA_CO_TRY(auto plan, co_await net::on_pool(parts_.io, [&] { return make_plan(prepared, plan_parts()); }));
  co_return std::move(plan.shown);
}

net::Task<Result<wire::OutdatedList>> Pulls::outdated(std::vector<std::string> names) {
  std::vector<wire::Model> models;
  if (names.empty()) {
    PUNA_CO_TRY(models, co_await net::on_pool(parts_.io, [&] { return parts_.library.list(); }));
  }
  for (const auto& name : names) {
    PUNA_CO_TRY(auto model, co_await net::on_pool(parts_.io, [&] { return parts_.library.find(name); }));
    models.push_back(std::move(model));
  }
  wire::OutdatedList out;
  for (auto& model : models) {
    const bool has_upstream = model.store == "puna" && !model.alias_of && upstream_of(model.provenance);
    if (has_upstream) out.models.push_back(co_await look_upstream(std::move(model)));
  }
  co_return out;
}

net::Task<wire::OutdatedModel> Pulls::look_upstream(wire::Model model) {
  const auto reference = *upstream_of(model.provenance);
  wire::OutdatedModel out{.name = model.name, .source = reference.text(), .have = model.provenance.commit};
  const auto head = co_await parts_.hub.head(reference);
  if (!head) {
    out.problem = head.error().text();
    co_return out;
  }
  out.latest = head->commit;
  if (out.have == head->commit) co_return out;
  // Something was committed: whether it concerns the files of this model is another question.
  const auto prepared = co_await parts_.hub.prepare(reference, {.source = out.source, .name = model.name}, Hub::Look::names_only);
  if (!prepared) {
    out.problem = prepared.error().text();
    co_return out;
  }
  const auto look = [&]() -> Result<> {
    PUNA_TRY(const auto plan, make_plan(*prepared, plan_parts()));
    PUNA_TRY(const auto have, parts_.library.show(model.name));
    out.changed = plan.shown.unchanged ? std::vector<std::string>() : changed_roles(plan, have);
    out.outdated = !out.changed.empty();
    out.fetch = plan.shown.fetch;
    return {};
  };
  if (const auto looked = co_await net::on_pool(parts_.io, look); !looked) out.problem = looked.error().text();
  co_return out;
}

PlanParts Pulls::plan_parts() const {
  return {.library = parts_.library,
          .settings = parts_.settings,
          .downloads = parts_.downloads,
          .models = parts_.models,
          .partial = [this](const std::string& key) {
            for (const auto& partial : parts_.engine.partials())
              if (partial.key == key && !partial.quarantined) return partial.on_disk;
            return Bytes();
          }};
}

Result<Secret> Pulls::secret_for(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = secrets_.find(key);
  if (found != secrets_.end()) return found->second;
  return fail(Code::unauthenticated,
              "the credentials in the URL are not kept when the daemon ends: pull it again; what has come already is not fetched again");
}

void Pulls::forget_secret(const std::string& key) {
  const std::lock_guard lock(mutex_);
  secrets_.erase(key);
}

}  // namespace puna::hub
