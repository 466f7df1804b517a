#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/settings_registry.h"
#include "model/library.h"
#include "model/take_in.h"
#include "os/disk.h"
#include "os/temporary_folder.h"
#include "training/adapter_child.h"
#include "training/adapter_run.h"

namespace puna::training {
namespace {

namespace fs = std::filesystem;

std::string joined_names(const AdaptedModel& model) {
  std::string out;
  for (const auto& adapter : model.adapters) out += (out.empty() ? "" : "+") + adapter.model.name;
  return out;
}

class MergeRun {
 public:
  MergeRun(const AdapterJobsParts& parts, jobs::JobContext& context, wire::MergeRequest request, AdaptedModel model, const fs::path& folder)
      : parts_(parts), context_(context), request_(std::move(request)), model_(std::move(model)), folder_(folder) {}

  Result<wire::MergeResult> run() {
    wire::AdapterOrder order{.act = wire::AdapterAct::merge,
                             .base = weights_of(model_.base),
                             .output = (folder_ / "model.gguf").string(),
                             .name = *request_.name,
                             .type = request_.type,
                             .threads = parts_.settings.snapshot()->get(setting::kThreads)};
    for (const auto& adapter : model_.adapters) order.adapters.push_back(adapter.path);
    PUNA_TRY(auto told, run_adapter_child(parts_.program, folder_, order, context_));
    if (!told) return fail(Code::internal, "the merge told nothing of its result");
    PUNA_CHECK(add(order.output, *told));
    return std::move(*told);
  }

 private:
  // Beside the new weights stand the base's other files: its template, licence, projector.
  Result<> add(const std::string& output, wire::MergeResult& result) {
    std::error_code error;
    const auto size = static_cast<std::int64_t>(fs::file_size(output, error));
    if (error) return fail(errno_error(error.value(), "cannot look at the merged model"));
    PUNA_CHECK(require_free_name(parts_.library, *request_.name));
    model::Reading reading(context_, "adding", size);
    PUNA_TRY(auto file,
             model::take_in(parts_.library, reading,
                            {.path = gguf_name(*request_.name), .role = wire::FileRole::weights, .size = size, .place = output}));
    const auto& base = model_.base.detail;
    result.name = *request_.name;
    result.base = base.model.name;
    for (const auto& adapter : model_.adapters) result.adapters.push_back(adapter.model.name);
    result.sha256 = file.sha256;
    result.size = size;
    for (const auto& part : model_.base.files) result.base_size += part.size;
    model::NewModel added{.name = *request_.name,
                          .files = {std::move(file)},
                          .provenance = {.catalogue = "merge", .repository = fmt::format("{}+{}", base.model.name, joined_names(model_))},
                          .recipe = base.recipe};
    for (const auto& other : base.files) {
      if (other.role == wire::FileRole::weights || other.role == wire::FileRole::card) continue;
      if (parts_.library.holds(other.sha256))
        added.files.push_back({.path = other.path, .role = other.role, .sha256 = other.sha256});
      else
        log::warning("training", "a file of the base stays with it", {{"model", base.model.name}, {"file", other.path}});
    }
    PUNA_CHECK(parts_.library.add(added));
    return {};
  }

  const AdapterJobsParts& parts_;
  jobs::JobContext& context_;
  const wire::MergeRequest request_;
  const AdaptedModel model_;
  const fs::path& folder_;
};

double bytes_a_weight(wire::MergeType type) {
  switch (type) {
    case wire::MergeType::same:
      return 0;
    case wire::MergeType::f32:
      return 4;
    case wire::MergeType::f16:
    case wire::MergeType::bf16:
      return 2;
    case wire::MergeType::q8_0:
      return 34.0 / 32;
  }
  return 4;
}

}  // namespace

Result<> require_merge_space(const AdapterJobsParts& parts, const AdaptedModel& model, std::optional<wire::MergeType> type) {
  double base = 0;
  for (const auto& file : model.base.files) base += static_cast<double>(file.size);
  // Nobody knows yet whether it becomes q8_0.
  const double widened =
      bytes_a_weight(type.value_or(wire::MergeType::q8_0)) * static_cast<double>(model.base.detail.model.details.parameters);
  return parts.require_space(parts.folder, Bytes(static_cast<std::uint64_t>(std::max(base, widened))));
}

Result<json::value> run_merge(const AdapterJobsParts& parts, jobs::JobContext& context) {
  PUNA_TRY(auto request, json::decode<wire::MergeRequest>(context.request()));
  PUNA_TRY(auto model, find_adapted(parts.library, request.model));
  PUNA_CHECK(require_merge_space(parts, model, request.type));
  PUNA_TRY(const auto folder, work_folder(parts));
  PUNA_TRY(const auto result, MergeRun(parts, context, std::move(request), std::move(model), folder.path()).run());
  return json::encode(result);
}

}  // namespace puna::training
