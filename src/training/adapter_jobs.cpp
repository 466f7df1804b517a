#include "training/adapter_jobs.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "model/library.h"
#include "model/name.h"
#include "training/adapter_run.h"

namespace puna::training {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMerge = "merge";
constexpr std::string_view kExport = "export";
constexpr std::string_view kImport = "import";

template <class Request>
std::string title_of(std::string_view kind, const json::value& request) {
  const auto order = json::decode<Request>(request, json::Unknown::ignore);
  return order ? fmt::format("{} {}", kind, order->model) : std::string(kind);
}

// The full name, so that everybody means the same by the request.
std::string full_name(const AdaptedModel& model) {
  std::string out = model.base.detail.model.name;
  for (const auto& adapter : model.adapters) out += "+" + adapter.model.name;
  return out;
}

// "care-merged:latest" of "smollm2:135m+care".
std::string merged_name(const AdaptedModel& model) {
  return model::Name::made_from(model::Name::made_from(model.adapters.back().model.name).base() + "-merged").text();
}

template <class Request>
Result<wire::Job> enqueue(jobs::Queue& queue, std::string_view kind, const Request& request) {
  auto stored = json::encode(request);
  const auto key = json::to_text(stored);
  return queue.submit(kind, std::move(stored), key);
}

Result<std::string> chosen_name(model::Library& library, const std::string& name) {
  PUNA_TRY(const auto parsed, model::Name::parse(name));
  PUNA_CHECK(require_free_name(library, parsed.text()));
  return parsed.text();
}

}  // namespace

AdapterJobs::AdapterJobs(AdapterJobsParts parts) : parts_(std::move(parts)) {
  std::error_code error;
  fs::remove_all(parts_.folder, error);
  if (error) log::warning("training", "leftovers cannot be removed", {{"folder", parts_.folder.string()}, {"error", error.message()}});
}

jobs::JobSpec AdapterJobs::merge_spec() {
  return {.kind = kMerge,
          .title = [](const json::value& request) { return title_of<wire::MergeRequest>(kMerge, request); },
          .run = [this](jobs::JobContext& context) { return run_merge(parts_, context); }};
}

jobs::JobSpec AdapterJobs::export_spec() {
  return {.kind = kExport,
          .title = [](const json::value& request) { return title_of<wire::ExportRequest>(kExport, request); },
          .run = [this](jobs::JobContext& context) { return run_export(parts_, context); }};
}

jobs::JobSpec AdapterJobs::import_spec() {
  return {.kind = kImport,
          .title = [](const json::value& request) { return title_of<wire::ImportRequest>("import an adapter for", request); },
          .run = [this](jobs::JobContext& context) { return run_import(parts_, context); }};
}

Result<wire::Job> AdapterJobs::submit(jobs::Queue& queue, const wire::MergeRequest& request) {
  PUNA_TRY(const auto model, find_adapted(parts_.library, request.model));
  wire::MergeRequest stored{.model = full_name(model), .name = {}, .type = request.type};
  PUNA_TRY(stored.name, chosen_name(parts_.library, request.name.value_or(merged_name(model))));
  PUNA_CHECK(require_merge_space(parts_, model, stored.type));
  return enqueue(queue, kMerge, stored);
}

Result<wire::Job> AdapterJobs::submit(jobs::Queue& queue, const wire::ExportRequest& request) {
  PUNA_TRY(const auto model, find_adapted(parts_.library, request.model));
  if (request.form != wire::ExportForm::ollama && model.adapters.size() != 1)
    return fail(Code::unsupported, fmt::format("{} has several adapters, and this form holds one; export them one by one, or merge them",
                                               printable(request.model)));
  PUNA_CHECK(require_new_folder(request.folder));
  auto stored = request;
  stored.model = full_name(model);
  return enqueue(queue, kExport, stored);
}

Result<wire::Job> AdapterJobs::submit(jobs::Queue& queue, const wire::ImportRequest& request) {
  PUNA_TRY(const auto base, find_base(parts_.library, request.model));
  const fs::path folder(request.folder);
  if (!folder.is_absolute())
    return fail(Code::invalid_argument, fmt::format("folder: '{}' is no absolute path", printable(request.folder)));
  std::error_code error;
  if (!fs::exists(folder / "adapter_config.json", error))
    return fail(Code::not_found,
                fmt::format("{} has no adapter_config.json, so it is no adapter in PEFT's form", printable(request.folder)));
  auto stored = request;
  stored.model = base.detail.model.name;
  const auto last = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
  PUNA_TRY(stored.name, chosen_name(parts_.library, request.name.value_or(model::Name::made_from(last.string()).text())));
  return enqueue(queue, kImport, stored);
}

Result<PeftForm> AdapterJobs::make_peft_form(std::string_view adapter, jobs::JobContext& context) const {
  PUNA_TRY(const auto model, find_adapted(parts_.library, adapter));
  PUNA_TRY(auto folder, work_folder(parts_));
  PUNA_TRY(const auto names, write_peft(parts_, model, "", folder.path(), context));
  PeftForm out{std::move(folder), {}};
  for (const auto& name : names) out.files.push_back(out.folder.path() / name);
  return out;
}

}  // namespace puna::training
