#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "gguf/check.h"
#include "gguf/summary.h"
#include "model/library_jobs.h"
#include "model/model_recipe.h"
#include "model/name.h"
#include "model/recipe.h"
#include "model/take_in.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCreate = "create";

std::string create_title(const json::value& request) {
  const auto wanted = json::decode<wire::CreateModel>(request);
  return wanted ? fmt::format("create {}", wanted->name) : "create";
}

Result<ModelRecipe> read_recipe(const wire::CreateModel& request) {
  return request.format.value_or(wire::RecipeFormat::modelfile) == wire::RecipeFormat::toml ? parse_recipe_toml(request.recipe)
                                                                                            : parse_modelfile(request.recipe);
}

bool is_path(std::string_view text) {
  return text.starts_with('/') || text.starts_with("./") || text.starts_with("../") || lower_ascii(text).ends_with(".gguf");
}

Result<fs::path> resolve(const wire::CreateModel& request, std::string_view text) {
  const fs::path path{std::string(text)};
  if (path.is_absolute()) return path;
  if (!request.folder)
    return fail(Code::invalid_argument, fmt::format("{} is no whole path, and nothing says where it starts", printable(text)));
  return (fs::path(*request.folder) / path).lexically_normal();
}

Result<wire::ModelFile> file_at(const fs::path& place, wire::FileRole role) {
  std::error_code error;
  const auto size = fs::file_size(place, error);
  if (error) return fail(errno_error(error.value(), "cannot find " + place.string()));
  return wire::ModelFile{place.filename().string(), role, "", static_cast<std::int64_t>(size), place.string()};
}

Result<> check_adapter(const fs::path& place, std::string_view architecture) {
  PUNA_TRY(const auto header, gguf::Header::read_file(place));
  const auto summary = gguf::summarize(header);
  const auto wrong = [&](std::string_view what) { return fail(Code::invalid_argument, fmt::format("{} {}", place.string(), what)); };
  if (summary.kind != "adapter") return wrong("is no adapter");
  if (const auto type = header.text("adapter.type").value_or(""); type != "lora")
    return fail(Code::unsupported,
                fmt::format("{} is an adapter of the kind '{}': only LoRA can be used", place.string(), printable(type)));
  if (summary.architecture != architecture)
    return wrong(fmt::format("is for the architecture {}, and the base is {}", summary.architecture, architecture));
  return gguf::check(header);
}

// What the new recipe does not say is the base's.
wire::Recipe inherit(wire::Recipe recipe, const wire::Recipe& base) {
  if (!recipe.system) recipe.system = base.system;
  if (recipe.messages.empty()) recipe.messages = base.messages;
  if (!recipe.context) recipe.context = base.context;
  if (!recipe.chat_template) recipe.chat_template = base.chat_template;
  for (const auto& entry : base.parameters)
    if (!recipe.parameters.contains(entry.key())) recipe.parameters[entry.key()] = entry.value();
  return recipe;
}

// What the new model shares, and what it is called.
struct Base {
  std::string name;
  std::string architecture;
  std::vector<wire::ModelFile> files;
  wire::Recipe recipe;
};

Result<Base> find_base(Library& library, const wire::CreateModel& request, const std::string& from) {
  if (!is_path(from)) {
    PUNA_TRY(auto detail, library.show(from));
    if (detail.model.problem) return fail(Code::conflict, fmt::format("model {}: {}", detail.model.name, *detail.model.problem));
    return Base{detail.model.name, detail.model.details.architecture, std::move(detail.files), std::move(detail.recipe)};
  }
  PUNA_TRY(const auto place, resolve(request, from));
  PUNA_TRY(const auto header, gguf::Header::read_file(place));
  PUNA_CHECK(gguf::check(header));
  PUNA_TRY(auto file, file_at(place, wire::FileRole::weights));
  return Base{place.string(), gguf::summarize(header).architecture, {std::move(file)}, {}};
}

}  // namespace

jobs::JobSpec LibraryJobs::create_spec() {
  return {.kind = kCreate, .title = create_title, .run = [this](jobs::JobContext& context) { return run_create(context); }};
}

Result<wire::Job> LibraryJobs::create(jobs::Queue& queue, const wire::CreateModel& request) {
  PUNA_TRY(const auto name, Name::parse(request.name));
  PUNA_TRY(const auto recipe, read_recipe(request));
  PUNA_CHECK(find_base(library_, request, recipe.from));
  auto stored = request;
  stored.name = name.text();
  return queue.submit(kCreate, json::encode(stored), name.key());
}

Result<json::value> LibraryJobs::run_create(jobs::JobContext& context) {
  PUNA_TRY(const auto request, json::decode<wire::CreateModel>(context.request()));
  PUNA_TRY(auto wanted, read_recipe(request));
  PUNA_TRY(auto base, find_base(library_, request, wanted.from));
  for (const auto& adapter : wanted.adapters) {
    PUNA_TRY(const auto place, resolve(request, adapter));
    PUNA_CHECK(check_adapter(place, base.architecture));
    PUNA_TRY(base.files.emplace_back(), file_at(place, wire::FileRole::adapter));
  }
  if (wanted.recipe.chat_template) std::erase_if(base.files, [](const auto& file) { return file.role == wire::FileRole::chat_template; });

  NewModel model{.name = request.name,
                 .files = {},
                 .provenance = {.catalogue = "create", .repository = base.name},
                 .recipe = inherit(std::move(wanted.recipe), base.recipe)};
  std::int64_t total = 0;
  const auto is_here = [&](const wire::ModelFile& file) { return !file.sha256.empty() && library_.holds(file.sha256); };
  for (const auto& file : base.files) total += is_here(file) ? 0 : file.size;
  Reading reading(context, "reading", total);
  for (const auto& file : base.files) {
    if (is_here(file)) {
      model.files.push_back({file.path, file.role, file.sha256});
    } else {
      PUNA_TRY(auto taken, take_in(library_, reading, file));
      model.files.push_back(std::move(taken));
    }
  }
  const bool has_template = std::ranges::any_of(model.files, [](const auto& file) { return file.role == wire::FileRole::chat_template; });
  if (model.recipe.chat_template && !has_template) {
    PUNA_TRY(auto file, take_in_text(library_, "chat_template.jinja", wire::FileRole::chat_template, *model.recipe.chat_template));
    model.files.push_back(std::move(file));
  }
  for (const auto& licence : wanted.licences) {
    PUNA_TRY(auto file, take_in_text(library_, "LICENSE", wire::FileRole::licence, licence));
    model.files.push_back(std::move(file));
  }
  PUNA_TRY(const auto added, library_.add(model));
  return json::encode(added);
}

}  // namespace puna::model
