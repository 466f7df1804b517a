#include "hub/publish/ollama_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/log.h"
#include "hub/catalogues/ollama_registry.h"
#include "model/recipe.h"
#include "os/file.h"
#include "os/sha256.h"

namespace puna::hub::publish {
namespace {

using wire::FileRole;

constexpr Bytes kLargestText = mib(4);
constexpr std::string_view kProjectorFamily = "clip";

Result<CargoFile> text_file(std::string_view path, FileRole role, std::string text) {
  CargoFile out{.path = std::string(path), .role = role, .text = std::move(text)};
  out.size = Bytes(out.text.size());
  PUNA_TRY(out.sha256, os::sha256_of(out.text));
  return out;
}

// "135M", "134.52M", "3.2B": the way the registry's pages write it.
std::string parameters_text(std::int64_t count) {
  struct Unit {
    double size;
    char letter;
    int digits;
  };
  for (const auto unit : {Unit{1e9, 'B', 1}, Unit{1e6, 'M', 2}, Unit{1e3, 'K', 0}}) {
    const double number = static_cast<double>(count) / unit.size;
    if (number >= 1) return fmt::format("{:.{}f}{}", number, number == std::floor(number) ? 0 : unit.digits, unit.letter);
  }
  return std::to_string(count);
}

Result<> check_weights(const wire::ModelDetail& model, const std::vector<CargoFile>& files) {
  const auto parts = std::ranges::count(files, FileRole::weights, &CargoFile::role);
  if (model.model.details.format != "gguf")
    return fail(Code::unsupported,
                fmt::format("{} is kept as {}; Ollama's registry takes GGUF", model.model.name, model.model.details.format));
  if (parts == 1) return {};
  return fail(Code::unsupported,
              fmt::format("the weights of {} are in {} files; Ollama's registry takes one: merge them first", model.model.name, parts));
}

class Layers {
 public:
  Layers(const wire::ModelDetail& model, const std::vector<CargoFile>& files) : model_(model), files_(files) {}

  Result<std::vector<CargoFile>> make() {
    PUNA_CHECK(check_weights(model_, files_));
    PUNA_CHECK(read_small_files());
    for (const auto& kind : layer_kinds()) PUNA_CHECK(add(kind));
    PUNA_TRY(auto config, text_file("config", FileRole::config, json::to_text(config_of())));
    out_.push_back(std::move(config));
    return std::move(out_);
  }

 private:
  Result<> read_small_files() {
    for (const auto& file : files_) {
      if (!model::says_something(file.role)) continue;
      PUNA_TRY(const auto text, os::read_file(file.place, kLargestText));
      model::add_to_recipe(said_, file.role, text);  // what cannot be honoured here may be there: the file goes as it is
      if (file.role == FileRole::parameters) parameters_ = json::parse_object(text).value_or(json::object());
      if (file.role == FileRole::chat_template && model::check_chat_template(text)) jinja_.push_back(&file);
    }
    return {};
  }

  Result<> add(const LayerKind& kind) {
    const auto recipe_text = differing(kind.role);
    if (recipe_text && recipe_text->empty()) return {};
    if (recipe_text) {
      PUNA_TRY(auto layer, text_file(kind.path, kind.role, *recipe_text));
      out_.push_back(std::move(layer));
      return {};
    }
    for (const auto& file : files_) {
      if (file.role != kind.role || file.size.count == 0) continue;
      if (std::ranges::find(jinja_, &file) != jinja_.end()) {
        log::info("hub", "a Jinja template is not pushed to Ollama's registry", {{"file", file.path}});
        continue;
      }
      out_.push_back(file);
    }
    return {};
  }

  // What the recipe says where the files of that role do not say the same; "" where it says nothing.
  std::optional<std::string> differing(FileRole role) const {
    const auto& recipe = model_.recipe;
    if (role == FileRole::system && recipe.system != said_.system) return recipe.system.value_or("");
    if (role == FileRole::messages && json::encode(recipe.messages) != json::encode(said_.messages))
      return recipe.messages.empty() ? "" : json::to_text(json::encode(recipe.messages));
    if (role == FileRole::parameters && (recipe.parameters != said_.parameters || recipe.context != said_.context)) {
      json::object out = parameters_;
      for (const auto& entry : recipe.parameters) out[entry.key() == "max_tokens" ? "num_predict" : entry.key()] = entry.value();
      if (recipe.context) out["num_ctx"] = *recipe.context;
      return out.empty() ? "" : json::to_text(out);
    }
    return std::nullopt;
  }

  json::object config_of() const {
    const auto& details = model_.model.details;
    json::array families{json::string(details.architecture)};
    if (std::ranges::find(out_, FileRole::projector, &CargoFile::role) != out_.end()) families.push_back(json::string(kProjectorFamily));
    json::array digests;
    for (const auto& layer : out_) digests.push_back(json::string("sha256:" + layer.sha256));
    return json::object{{"model_format", "gguf"},
                        {"model_family", details.architecture},
                        {"model_families", std::move(families)},
                        {"model_type", parameters_text(details.parameters)},
                        {"file_type", details.quantization},
                        {"architecture", "amd64"},
                        {"os", "linux"},
                        {"rootfs", json::object{{"type", "layers"}, {"diff_ids", std::move(digests)}}}};
  }

  const wire::ModelDetail& model_;
  const std::vector<CargoFile>& files_;
  std::vector<CargoFile> out_;
  wire::Recipe said_;        // by the files
  json::object parameters_;  // of the file, in Ollama's names
  std::vector<const CargoFile*> jinja_;
};

}  // namespace

Result<std::vector<CargoFile>> ollama_layers(const wire::ModelDetail& model, const std::vector<CargoFile>& files) {
  return Layers(model, files).make();
}

}  // namespace puna::hub::publish
