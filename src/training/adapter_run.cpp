#include "training/adapter_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/library.h"
#include "model/take_in.h"
#include "training/adapter_child.h"

namespace puna::training {

namespace fs = std::filesystem;

std::string gguf_name(std::string_view model) {
  std::string out(model.substr(model.rfind('/') + 1));
  if (out.ends_with(":latest")) out.resize(out.size() - std::string_view(":latest").size());
  std::ranges::replace(out, ':', '-');
  return out + ".gguf";
}

std::vector<std::string> weights_of(const BaseModel& base) {
  std::vector<std::string> out;
  for (const auto& file : base.files) out.push_back(file.path);
  return out;
}

Result<> require_free_name(model::Library& library, const std::string& name) {
  const auto found = library.find(name);
  if (found) return fail(Code::already_exists, fmt::format("there is a model {} already; choose another name, or remove it", found->name));
  return found.error().code == Code::not_found ? Result<>() : fail(found.error());
}

Result<> require_new_folder(const fs::path& folder) {
  if (!folder.is_absolute())
    return fail(Code::invalid_argument, fmt::format("folder: '{}' is no absolute path", printable(folder.string())));
  std::error_code error;
  const auto status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (error) return fail(errno_error(error.value(), fmt::format("cannot look at {}", folder.string())));
  if (!fs::is_directory(status)) return fail(Code::conflict, fmt::format("{} is no folder", folder.string()));
  const bool empty = fs::is_empty(folder, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot look into {}", folder.string())));
  if (!empty) return fail(Code::conflict, fmt::format("{} has something in it; name a new folder, or empty it", folder.string()));
  return {};
}

Result<os::TemporaryFolder> work_folder(const AdapterJobsParts& parts) {
  std::error_code error;
  fs::create_directories(parts.folder, error);
  if (!error) fs::permissions(parts.folder, fs::perms::owner_all, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot make {}", parts.folder.string())));
  return os::TemporaryFolder::create(parts.folder);
}

Result<json::value> run_import(const AdapterJobsParts& parts, jobs::JobContext& context) {
  PUNA_TRY(const auto request, json::decode<wire::ImportRequest>(context.request()));
  PUNA_TRY(const auto base, find_base(parts.library, request.model));
  PUNA_TRY(const auto folder, work_folder(parts));
  const auto output = folder.path() / "adapter.gguf";
  context.progress({.phase = "reading"});
  PUNA_CHECK(run_adapter_child(parts.program, folder.path(),
                               {.act = wire::AdapterAct::from_peft,
                                .base = weights_of(base),
                                .adapters = {request.folder},
                                .output = output.string(),
                                .name = *request.name},
                               context));
  PUNA_CHECK(require_free_name(parts.library, *request.name));
  std::error_code error;
  const auto size = static_cast<std::int64_t>(fs::file_size(output, error));
  if (error) return fail(errno_error(error.value(), "cannot look at the adapter"));
  model::Reading reading(context, "adding", size);
  PUNA_TRY(auto file, model::take_in(parts.library, reading,
                                     {.path = "adapter.gguf", .role = wire::FileRole::weights, .size = size, .place = output.string()}));
  PUNA_TRY(const auto added, parts.library.add({.name = *request.name,
                                                .files = {std::move(file)},
                                                .provenance = {.catalogue = "peft", .repository = base.detail.model.name}}));
  return json::encode(wire::ImportResult{
      .name = added.name, .base = base.detail.model.name, .serves = fmt::format("{}+{}", base.detail.model.name, added.name)});
}

}  // namespace puna::training
