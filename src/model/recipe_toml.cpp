#include <fmt/format.h>

#include <toml++/toml.h>
#include <array>
#include <sstream>

#include "base/text.h"
#include "model/model_recipe.h"
#include "model/recipe.h"

namespace puna::model {
namespace {

std::unexpected<Error> wrong(std::string_view key, std::string_view what) {
  return fail(Code::invalid_argument, fmt::format("{}: {}", printable(key.substr(0, 80)), what));
}

Result<std::string> text_of(std::string_view key, const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  return wrong(key, "expected a text");
}

Result<std::vector<std::string>> texts_of(std::string_view key, const toml::node& node) {
  const auto* list = node.as_array();
  std::vector<std::string> out;
  if (list == nullptr) {
    PUNA_TRY(out.emplace_back(), text_of(key, node));
    return out;
  }
  for (const auto& item : *list) {
    PUNA_TRY(auto text, text_of(key, item));
    out.push_back(std::move(text));
  }
  return out;
}

// As a person would type it in a Modelfile.
Result<std::string> typed(std::string_view key, const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  return wrong(key, "expected a number or a text");
}

Result<> take_parameters(wire::Recipe& recipe, const toml::node& node) {
  const auto* table = node.as_table();
  if (table == nullptr) return wrong("parameters", "expected a table: [parameters]");
  for (const auto& [key, value] : *table) {
    const auto* list = value.as_array();
    toml::array one;
    if (list == nullptr) {
      PUNA_TRY(const auto text, typed(key.str(), value));
      PUNA_CHECK(set_parameter(recipe, key.str(), text));
      continue;
    }
    for (const auto& item : *list) {
      PUNA_TRY(const auto text, typed(key.str(), item));
      PUNA_CHECK(set_parameter(recipe, key.str(), text));
    }
  }
  return {};
}

Result<> take_messages(wire::Recipe& recipe, const toml::node& node) {
  const auto* list = node.as_array();
  if (list == nullptr) return wrong("messages", "expected tables: [[messages]]");
  for (const auto& item : *list) {
    const auto* table = item.as_table();
    const auto* role = table == nullptr ? nullptr : table->get_as<std::string>("role");
    const auto* content = table == nullptr ? nullptr : table->get_as<std::string>("content");
    if (role == nullptr || content == nullptr || table->size() != 2) return wrong("messages", "each has a role and a content, both texts");
    const auto name = lower_ascii(role->get());
    if (name != "system" && name != "user" && name != "assistant") return wrong("messages", "a role is system, user or assistant");
    recipe.messages.push_back({name, content->get()});
  }
  return {};
}

Result<> take(ModelRecipe& out, std::string_view key, const toml::node& node) {
  if (key == "parameters") return take_parameters(out.recipe, node);
  if (key == "messages") return take_messages(out.recipe, node);
  if (key == "context") {
    PUNA_TRY(const auto text, typed(key, node));
    return set_parameter(out.recipe, key, text);
  }
  if (key == "adapters" || key == "licence") {
    PUNA_TRY(auto texts, texts_of(key, node));
    (key == "adapters" ? out.adapters : out.licences) = std::move(texts);
    return {};
  }
  PUNA_TRY(auto text, text_of(key, node));
  if (key == "from") return out.from = std::move(text), Result<>();
  if (key == "system") return out.recipe.system = std::move(text), Result<>();
  PUNA_CHECK(check_chat_template(text));
  out.recipe.chat_template = std::move(text);
  return {};
}

}  // namespace

Result<ModelRecipe> parse_recipe_toml(std::string_view text) {
  constexpr std::array<std::string_view, 8> kKeys = {"from",     "system",  "template",   "context",
                                                     "adapters", "licence", "parameters", "messages"};
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    const auto& where = error.source().begin;
    return fail(Code::invalid_argument, fmt::format("line {}, column {}: {}", where.line, where.column, error.description()));
  }
  ModelRecipe out;
  for (const auto& [key, node] : table) {
    const std::string_view name = key.str();
    if (std::ranges::find(kKeys, name) == kKeys.end()) {
      const auto near = nearest(name, kKeys);
      return fail(Code::invalid_argument,
                  fmt::format("'{}' is no key of a recipe{}; there are {}", printable(name),
                              near.empty() ? "" : fmt::format("; did you mean '{}'?", near.front()), fmt::join(kKeys, ", ")));
    }
    PUNA_CHECK(take(out, name, node));
  }
  if (out.from.empty()) return fail(Code::invalid_argument, "from is missing: it names the model or the file that this one is made of");
  return out;
}

}  // namespace puna::model
