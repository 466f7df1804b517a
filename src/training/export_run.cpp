#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "gguf/reader.h"
#include "model/library.h"
#include "model/modelfile_text.h"
#include "os/file.h"
#include "training/adapter_child.h"
#include "training/adapter_run.h"

namespace puna::training {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> peft_files() {
  return {"adapter_config.json", "adapter_model.safetensors"};
}

// The model for transformers that a GGUF says it was converted from.
std::string origin_in(const fs::path& file) {
  const auto header = gguf::Header::read_file(file);
  if (!header) return {};  // the child will say what is wrong with it
  if (const auto repository = header->text("general.source.huggingface.repository")) return std::string(*repository);
  constexpr std::string_view kHub = "https://huggingface.co/";
  const auto url = header->text("general.source.repo_url").value_or("");
  return url.starts_with(kHub) ? std::string(url.substr(kHub.size())) : std::string();
}

// Ollama refuses a file with any other parameter, and has a language of its own for templates.
wire::Recipe for_ollama(const wire::Recipe& recipe) {
  constexpr std::array<std::string_view, 11> kKnown = {"max_tokens",      "temperature", "top_k", "top_p",          "min_p",
                                                       "typical_p",       "seed",        "stop",  "repeat_penalty", "repeat_last_n",
                                                       "presence_penalty"};
  wire::Recipe out = recipe;
  out.chat_template.reset();
  out.parameters.clear();
  for (const auto& entry : recipe.parameters)
    if (std::ranges::find(kKnown, std::string_view(entry.key())) != kKnown.end()) out.parameters[entry.key()] = entry.value();
  return out;
}

// A folder that is there with everything in it, or not at all.
class ExportRun {
 public:
  ExportRun(const AdapterJobsParts& parts, jobs::JobContext& context, wire::ExportRequest request, AdaptedModel model)
      : parts_(parts), context_(context), request_(std::move(request)), model_(std::move(model)), folder_(request_.folder) {}
  ExportRun(const ExportRun&) = delete;
  ~ExportRun() {
    if (complete_) return;
    std::error_code error;
    for (const auto& file : files_) fs::remove(folder_ / file, error);
    if (made_) fs::remove(folder_, error);
    if (error) log::warning("training", "leftovers cannot be removed", {{"folder", folder_.string()}, {"error", error.message()}});
  }

  Result<wire::ExportResult> run() {
    context_.progress({.phase = "writing"});
    PUNA_CHECK(require_new_folder(folder_));
    std::error_code error;
    made_ = fs::create_directories(folder_, error);
    if (error) return fail(errno_error(error.value(), fmt::format("cannot make {}", folder_.string())));
    PUNA_CHECK(write_form());
    PUNA_CHECK(copy_card());
    complete_ = true;
    return wire::ExportResult{.folder = folder_.string(), .files = std::move(files_)};
  }

 private:
  Result<> write_form() {
    if (request_.form == wire::ExportForm::peft) {
      files_ = peft_files();  // so that they go, however far it comes
      PUNA_TRY(files_, write_peft(parts_, model_, request_.base_model.value_or(""), folder_, context_));
      return {};
    }
    for (const auto& adapter : model_.adapters) PUNA_CHECK(copy(adapter.path, gguf_name(adapter.model.name)));
    return request_.form == wire::ExportForm::ollama ? write_modelfile() : Result<>();
  }
  Result<> write_modelfile() {
    const auto& base = model_.base.detail;
    const auto& from = base.model.provenance;
    const bool known = from.catalogue == "ollama" && from.repository;
    const auto recipe = for_ollama(base.recipe);
    model::ModelfileParts parts{.from = known ? fmt::format("{}:{}", *from.repository, from.revision.value_or("latest")) : base.path,
                                .adapters = {},
                                .recipe = recipe};
    for (const auto& file : files_) parts.adapters.push_back("./" + file);  // so far there is nothing else
    files_.emplace_back("Modelfile");
    const auto text = fmt::format("# ollama create NAME -f Modelfile, in this folder\n{}", model::modelfile_text(parts));
    PUNA_CHECK(os::write_file_atomic(folder_ / "Modelfile", text, 0644));
    return {};
  }
  Result<> copy_card() {
    for (const auto& file : model_.adapters.front().files)
      if (file.role == wire::FileRole::card) return copy(file.place, "README.md");
    return {};
  }
  // A copy of its own: whoever edits it must not edit the library.
  Result<> copy(const fs::path& from, const std::string& name) {
    PUNA_CHECK(context_.go_on());
    files_.push_back(name);
    std::error_code error;
    fs::copy_file(from, folder_ / name, error);
    if (error) return fail(errno_error(error.value(), fmt::format("cannot write {}", (folder_ / name).string())));
    return {};
  }

  const AdapterJobsParts& parts_;
  jobs::JobContext& context_;
  const wire::ExportRequest request_;
  const AdaptedModel model_;
  const fs::path folder_;
  std::vector<std::string> files_;
  bool made_ = false;
  bool complete_ = false;
};

}  // namespace

Result<std::vector<std::string>> write_peft(const AdapterJobsParts& parts, const AdaptedModel& model, const std::string& base_model,
                                            const fs::path& folder, jobs::JobContext& context) {
  PUNA_TRY(const auto work, work_folder(parts));
  const wire::AdapterOrder order{.act = wire::AdapterAct::to_peft,
                                 .base = weights_of(model.base),
                                 .adapters = {model.adapters.front().path},
                                 .output = folder.string(),
                                 .base_model = base_model.empty() ? origin_in(model.base.detail.path) : base_model};
  PUNA_CHECK(run_adapter_child(parts.program, work.path(), order, context));
  return peft_files();
}

Result<json::value> run_export(const AdapterJobsParts& parts, jobs::JobContext& context) {
  PUNA_TRY(auto request, json::decode<wire::ExportRequest>(context.request()));
  PUNA_TRY(auto model, find_adapted(parts.library, request.model));
  PUNA_TRY(const auto result, ExportRun(parts, context, std::move(request), std::move(model)).run());
  return json::encode(result);
}

}  // namespace puna::training
