#include "model/modelfile_text.h"

#include <fmt/format.h>

namespace puna::model {
namespace {

std::string typed(const json::value& value) {
  return value.is_string() ? fmt::format("\"{}\"", std::string_view(value.get_string())) : json::to_text(value);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> modelfile_parameters(const wire::Recipe& recipe) {
  std::vector<std::pair<std::string, std::string>> out;
  if (recipe.context) out.emplace_back("num_ctx", std::to_string(*recipe.context));
  for (const auto& entry : recipe.parameters) {
    const std::string name = entry.key() == "max_tokens" ? "num_predict" : std::string(entry.key());
    const json::array one = {entry.value()};
    for (const auto& value : entry.value().is_array() ? entry.value().get_array() : one) out.emplace_back(name, typed(value));
  }
  return out;
}

std::string modelfile_text(const ModelfileParts& parts) {
  std::string out = fmt::format("FROM {}\n", parts.from);
  const wire::Recipe& recipe = parts.recipe;
  if (recipe.chat_template) out += fmt::format("TEMPLATE \"\"\"{}\"\"\"\n", *recipe.chat_template);
  if (recipe.system) out += fmt::format("SYSTEM \"\"\"{}\"\"\"\n", *recipe.system);
  for (const auto& adapter : parts.adapters) out += fmt::format("ADAPTER {}\n", adapter);
  for (const auto& [name, value] : modelfile_parameters(recipe)) out += fmt::format("PARAMETER {} {}\n", name, value);
  for (const auto& message : recipe.messages) out += fmt::format("MESSAGE {} \"\"\"{}\"\"\"\n", message.role, message.content);
  return out;
}

}  // namespace puna::model
