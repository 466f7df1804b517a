#include "profile/served.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/recipe.h"
#include "profile/templates.h"

namespace puna::profile {
namespace {

bool can(const wire::ModelDetail& model, std::string_view what) {
  const auto& all = model.model.details.capabilities;
  return std::ranges::find(all, what) != all.end();
}

struct Weights {
  std::filesystem::path file;
  std::vector<std::filesystem::path> parts;
};

Weights weights_of(const wire::ModelDetail& model) {
  Weights out{.file = model.path, .parts = {}};
  bool first = true;
  for (const auto& file : model.files)
    if (file.role == wire::FileRole::weights && !std::exchange(first, false)) out.parts.emplace_back(file.place);
  return out;
}

Result<> check_usable(const wire::ModelDetail& model) {
  if (model.model.problem) return fail(Code::conflict, fmt::format("model {}: {}", model.model.name, *model.model.problem));
  if (model.model.details.format == "safetensors")
    return fail(Code::unsupported,
                fmt::format("model {} is kept as safetensors, which cannot be run here: pull a GGUF of it", model.model.name));
  return {};
}

// A GGUF file that is named by path, or the weights of a model of the library.
Result<Weights> find_weights(const std::string& model, model::Library& library) {
  if (model.starts_with('/')) return Weights{.file = model, .parts = {}};
  PUNA_TRY(const auto detail, library.show(model));
  PUNA_CHECK(check_usable(detail));
  return weights_of(detail);
}

fleet::EngineSettings engine_of(const wire::ProfileSettings& settings) {
  return {.context = settings.context,
          .slots = settings.slots,
          .threads = settings.threads,
          .gpu_layers = settings.gpu_layers,
          .batch = settings.batch,
          .micro_batch = settings.micro_batch,
          .cache_type_k = settings.cache_type_k,
          .cache_type_v = settings.cache_type_v,
          .flash_attention = settings.flash_attention,
          .ngram = settings.ngram,
          .ngram_size = settings.ngram_size,
          .draft_max = settings.draft_max,
          .draft_min = settings.draft_min,
          .draft_probability = settings.draft_probability};
}

Result<> add_files(fleet::Launch& launch, const wire::ProfileSettings& settings, model::Library& library,
                   const std::filesystem::path& folder) {
  if (settings.projector) launch.projector = *settings.projector;
  if (settings.chat_template) {
    PUNA_TRY(launch.chat_template, keep_template(*settings.chat_template, folder));
  }
  if (settings.draft_model) {
    PUNA_TRY(auto draft, find_weights(*settings.draft_model, library));
    launch.draft = std::move(draft.file);
    launch.draft_parts = std::move(draft.parts);
  }
  if (!settings.adapters) return {};
  launch.adapters.clear();
  for (const auto& adapter : *settings.adapters) {
    PUNA_TRY(auto file, find_weights(adapter.model, library));
    launch.adapters.push_back({std::move(file.file), adapter.scale.value_or(1)});
  }
  return {};
}

Result<> add_life(fleet::Launch& launch, const wire::ProfileSettings& settings) {
  // What is loaded with the daemon stays.
  launch.life.pinned = settings.auto_start.value_or(false);
  if (launch.life.pinned) launch.life.keep_alive = kForever;
  if (settings.keep_alive) {
    PUNA_TRY(launch.life.keep_alive, parse_duration(*settings.keep_alive));
  }
  if (settings.memory_limit) {
    PUNA_TRY(launch.memory_limit, parse_bytes(*settings.memory_limit));
  }
  if (settings.start_deadline) {
    PUNA_TRY(launch.start_deadline, parse_duration(*settings.start_deadline));
  }
  launch.life.restart = settings.restart.value_or(launch.life.restart);
  launch.life.restart_attempts = settings.restart_attempts.value_or(launch.life.restart_attempts);
  launch.environment = settings.environment.value_or(os::Environment());
  return {};
}

// The profile's word goes before the model's, name by name.
std::shared_ptr<const wire::Recipe> recipe_of(const wire::ProfileSettings& settings, const std::shared_ptr<const wire::Recipe>& models) {
  wire::Recipe out = models ? *models : wire::Recipe();
  if (settings.system) out.system = settings.system;
  for (const auto& entry : settings.parameters.value_or(json::object())) out.parameters[entry.key()] = entry.value();
  if (model::is_empty(out)) return nullptr;
  return std::make_shared<const wire::Recipe>(std::move(out));
}

}  // namespace

Result<Served> serve_model(const wire::ModelDetail& model) {
  PUNA_CHECK(check_usable(model));
  if (can(model, "adapter"))
    return fail(Code::unsupported,
                fmt::format("{} is an adapter, no whole model: name it after its base, as base+{}", model.model.name, model.model.name));
  auto weights = weights_of(model);
  Served out{.launch = {.name = model.model.name,
                        .model = model.model.name,
                        .file = std::move(weights.file),
                        .parts = std::move(weights.parts),
                        .projector = model.projector.value_or(""),
                        .engine = {.context = model.recipe.context}},
             .recipe = nullptr,
             .generates = can(model, "completion"),
             .ranks = can(model, "rerank"),
             .knows_tools = can(model, "tools")};
  out.launch.life.pinned = model.model.pinned;
  for (const auto& adapter : model.adapters) out.launch.adapters.push_back({adapter});
  for (const auto& file : model.files)
    if (file.role == wire::FileRole::chat_template && model.recipe.chat_template) out.launch.chat_template = file.place;
  if (!model::is_empty(model.recipe)) out.recipe = std::make_shared<const wire::Recipe>(model.recipe);
  return out;
}

Result<Served> serve_profile(const wire::Profile& profile, model::Library& library, const std::filesystem::path& folder) {
  const auto& settings = profile.settings;
  Served out{.launch = {}, .recipe = nullptr, .generates = true, .ranks = true, .knows_tools = true};
  if (settings.model) {
    auto model = library.show(*settings.model);
    if (!model) return fail(std::move(model).error().within(fmt::format("profile {}", profile.name)));
    PUNA_TRY(out, serve_model(*model));
  }
  auto& launch = out.launch;
  launch.name = profile.name;
  launch.kind = settings.engine.value_or(wire::EngineKind::builtin);
  const auto context = launch.engine.context;
  launch.engine = engine_of(settings);
  if (!launch.engine.context) launch.engine.context = context;
  launch.command = settings.command.value_or(std::vector<std::string>());
  launch.url = settings.url.value_or("");
  launch.key_env = settings.key_env.value_or("");
  launch.key_file = settings.key_file.value_or("");
  launch.health = settings.health.value_or("");
  launch.served_name = settings.served_name.value_or("");
  PUNA_CHECK(add_files(launch, settings, library, folder));
  PUNA_CHECK(add_life(launch, settings));
  out.recipe = recipe_of(settings, out.recipe);
  out.overflow = settings.overflow;
  return out;
}

}  // namespace puna::profile
