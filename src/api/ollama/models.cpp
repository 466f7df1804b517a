#include "api/ollama/models.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/text.h"
#include "model/modelfile_text.h"
#include "os/file.h"

namespace puna::api::ollama {
namespace {

constexpr Bytes kLargestLicence = mib(1);

// "134.5M", "7.6B".
std::string parameter_size(std::int64_t parameters) {
  const auto count = static_cast<double>(parameters);
  if (parameters <= 0) return "";
  if (parameters < 1'000'000) return fmt::format("{:.2f}K", count / 1e3);
  if (parameters < 1'000'000'000) return fmt::format("{:.2f}M", count / 1e6);
  return fmt::format("{:.1f}B", count / 1e9);
}

json::object family_of(const wire::ModelDetails& details) {
  return {{"parent_model", ""},
          {"format", details.format},
          {"family", details.architecture},
          {"families", json::array{details.architecture}},
          {"parameter_size", parameter_size(details.parameters)},
          {"quantization_level", details.quantization},
          {"context_length", details.context_length},
          {"embedding_length", details.embedding_length}};
}

json::array capabilities_of(const wire::ModelDetails& details) {
  constexpr std::array<std::string_view, 6> kKnown = {"completion", "tools", "thinking", "vision", "audio", "embedding"};
  json::array out;
  for (const auto& capability : details.capabilities)
    if (std::ranges::find(kKnown, capability) != kKnown.end()) out.emplace_back(capability);
  return out;
}

// Ollama's clients print its first twelve digits and rely on their being there.
std::string digest_of(const wire::Model& model) {
  return model.sha256.empty() ? std::string(64, '0') : model.sha256;
}

std::string licence_of(const wire::ModelDetail& detail) {
  std::string out;
  for (const auto& file : detail.files) {
    if (file.role != wire::FileRole::licence) continue;
    const auto text = os::read_file(file.place, kLargestLicence);
    if (text) out += out.empty() ? *text : "\n" + *text;
  }
  return out.empty() ? detail.model.details.licence.value_or("") : out;
}

}  // namespace

json::object tags(std::vector<wire::Model> models) {
  std::ranges::sort(
      models, [](const wire::Model& a, const wire::Model& b) { return std::tie(b.modified_at, a.name) < std::tie(a.modified_at, b.name); });
  json::array out;
  for (const auto& model : models) {
    if (model.problem) continue;
    out.push_back(json::object{{"name", model.name},
                               {"model", model.name},
                               {"modified_at", model.modified_at},
                               {"size", model.size},
                               {"digest", digest_of(model)},
                               {"details", family_of(model.details)},
                               {"capabilities", capabilities_of(model.details)}});
  }
  return {{"models", std::move(out)}};
}

json::object processes(std::span<const wire::RunningModel> running, std::span<const wire::Model> models) {
  json::array out;
  for (const auto& worker : running) {
    if (worker.state != wire::WorkerState::ready && worker.state != wire::WorkerState::busy) continue;
    const auto known = std::ranges::find(models, worker.name, &wire::Model::name);
    const wire::Model model = known == models.end() ? wire::Model{} : *known;
    // Without a time it is busy or stays for good: Ollama's clients show a far one as "Forever".
    out.push_back(json::object{{"name", worker.name},
                               {"model", worker.name},
                               {"size", worker.memory_bytes.value_or(model.size) + worker.device_bytes.value_or(0)},
                               {"digest", digest_of(model)},
                               {"details", family_of(model.details)},
                               {"expires_at", worker.expires_at.value_or("2318-01-01T00:00:00Z")},
                               {"size_vram", worker.device_bytes.value_or(0)},
                               {"context_length", worker.context_length}});
  }
  return {{"models", std::move(out)}};
}

std::string modelfile(const wire::ModelDetail& detail) {
  return fmt::format("# To make another one of it: FROM {}\n{}", detail.model.name,
                     model::modelfile_text({.from = detail.path, .adapters = detail.adapters, .recipe = detail.recipe}));
}

json::object details(const wire::ModelDetail& detail) {
  std::string parameters;
  for (const auto& [name, value] : model::modelfile_parameters(detail.recipe)) parameters += fmt::format("{:<30} {}\n", name, value);
  json::object out{{"license", licence_of(detail)},
                   {"modelfile", modelfile(detail)},
                   {"parameters", parameters},
                   {"template", detail.chat_template.value_or("")},
                   {"system", detail.recipe.system.value_or("")},
                   {"details", family_of(detail.model.details)},
                   {"model_info", detail.metadata},
                   {"capabilities", capabilities_of(detail.model.details)},
                   {"modified_at", detail.model.modified_at}};
  // A client that computes with it wants the number, which files may leave out.
  out["model_info"].as_object()["general.parameter_count"] = detail.model.details.parameters;
  json::array messages;
  for (const auto& message : detail.recipe.messages) messages.push_back(json::encode(message));
  if (!messages.empty()) out["messages"] = std::move(messages);
  return out;
}

}  // namespace puna::api::ollama
