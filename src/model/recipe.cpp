#include "model/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/log.h"
#include "base/text.h"
#include "os/file.h"

namespace puna::model {
namespace {

enum class Kind { number, integer, texts };

struct ParameterRow {
  std::string_view name;   // in the API
  std::string_view alias;  // Ollama's, where it differs
  Kind kind;
  double min = -9e15;
  double max = 9e15;
};
// The bounds are those of the API, so that what a recipe says is never refused later.
constexpr std::array kParameters = {ParameterRow{"temperature", "", Kind::number, 0, 100},
                                    ParameterRow{"top_k", "", Kind::integer, 0},
                                    ParameterRow{"top_p", "", Kind::number, 0, 1},
                                    ParameterRow{"min_p", "", Kind::number, 0, 1},
                                    ParameterRow{"typical_p", "", Kind::number, 0, 1},
                                    ParameterRow{"seed", "", Kind::integer, -1, 4294967295.0},
                                    ParameterRow{"max_tokens", "num_predict", Kind::integer, 1},
                                    ParameterRow{"repeat_penalty", "", Kind::number, 0},
                                    ParameterRow{"repeat_last_n", "", Kind::integer, 0},
                                    ParameterRow{"presence_penalty", "", Kind::number, -2, 2},
                                    ParameterRow{"frequency_penalty", "", Kind::number, -2, 2},
                                    ParameterRow{"mirostat", "", Kind::integer, 0, 2},
                                    ParameterRow{"mirostat_tau", "", Kind::number, 0},
                                    ParameterRow{"mirostat_eta", "", Kind::number, 0},
                                    ParameterRow{"stop", "", Kind::texts}};
constexpr Bytes kLargestText = mib(4);
constexpr std::int64_t kLongestContext = 16'777'216;

std::string names_of_parameters() {
  std::string out = "context";
  for (const auto& row : kParameters) out += ", " + std::string(row.name);
  return out;
}

Result<double> number_in(std::string_view name, std::string_view text, double min, double max, bool whole) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && std::isfinite(number);
  if (is_number && number >= min && number <= max && (!whole || number == std::floor(number))) return number;
  std::string bounds = whole ? "a whole number" : "a number";
  if (min > -9e15) bounds += fmt::format(" from {}", min);
  if (max < 9e15) bounds += fmt::format(" to {}", max);
  return fail(Code::invalid_argument, fmt::format("{} takes {}, not '{}'", name, bounds, printable(text.substr(0, 80))));
}

// A JSON value as a person would type it.
std::string typed(const json::value& value) {
  return value.is_string() ? std::string(std::string_view(value.get_string())) : json::to_text(value);
}

void add_parameters(wire::Recipe& recipe, std::string_view text, std::vector<std::string>& left_out) {
  const auto parsed = json::parse_object(text);
  if (!parsed) return left_out.push_back("parameters: " + parsed.error().message);
  wire::Recipe said;
  for (const auto& entry : *parsed) {
    const json::array one = {entry.value()};
    for (const auto& item : entry.value().is_array() ? entry.value().get_array() : one)
      if (const auto set = set_parameter(said, entry.key(), typed(item)); !set) left_out.push_back(set.error().message);
  }
  if (!recipe.context) recipe.context = said.context;
  for (auto& entry : said.parameters)
    if (!recipe.parameters.contains(entry.key())) recipe.parameters[entry.key()] = std::move(entry.value());
}

}  // namespace

bool says_something(wire::FileRole role) {
  using enum wire::FileRole;
  return role == chat_template || role == system || role == parameters || role == messages;
}

std::vector<std::string> add_to_recipe(wire::Recipe& recipe, wire::FileRole role, std::string_view text) {
  std::vector<std::string> left_out;
  if (!is_utf8(text)) return {"a text that is not UTF-8"};
  if (role == wire::FileRole::system && !recipe.system && !trim(text).empty()) recipe.system = text;
  if (role == wire::FileRole::parameters) add_parameters(recipe, text, left_out);
  if (role == wire::FileRole::messages && recipe.messages.empty()) {
    auto messages = json::decode_text<std::vector<wire::RecipeMessage>>(text, json::Unknown::ignore);
    if (messages)
      recipe.messages = std::move(*messages);
    else
      left_out.push_back("messages: " + messages.error().message);
  }
  if (role == wire::FileRole::chat_template && !recipe.chat_template) {
    if (const auto usable = check_chat_template(text); usable)
      recipe.chat_template = text;
    else
      left_out.push_back(usable.error().message);
  }
  return left_out;
}

wire::Recipe complete_recipe(wire::Recipe recipe, std::span<const FileOnDisk> files) {
  for (const auto& file : files) {
    if (!says_something(file.role)) continue;
    const auto text = os::read_file(file.place, kLargestText);
    const auto left_out = text ? add_to_recipe(recipe, file.role, *text) : std::vector<std::string>{text.error().text()};
    for (const auto& what : left_out) log::info("model", "left out of a model's recipe", {{"file", file.path}, {"what", what}});
  }
  return recipe;
}

Result<> set_parameter(wire::Recipe& recipe, std::string_view name, std::string_view value) {
  if (name == "num_ctx" || name == "context") {
    PUNA_TRY(const double number, number_in(name, value, 1, kLongestContext, true));
    recipe.context = static_cast<std::int64_t>(number);
    return {};
  }
  const auto row =
      std::ranges::find_if(kParameters, [&](const auto& known) { return known.name == name || (known.alias == name && !name.empty()); });
  if (row == kParameters.end())
    return fail(Code::unsupported, fmt::format("the parameter '{}' cannot be honoured here; these can: {}", printable(name.substr(0, 80)),
                                               names_of_parameters()));
  if (row->kind == Kind::texts) {
    auto& texts = recipe.parameters[row->name];
    if (!texts.is_array()) texts = json::array();
    texts.get_array().emplace_back(value);
    return {};
  }
  const bool whole = row->kind == Kind::integer;
  PUNA_TRY(const double number, number_in(name, value, row->min, row->max, whole));
  recipe.parameters[row->name] = whole ? json::value(static_cast<std::int64_t>(number)) : json::value(number);
  return {};
}

Result<> check_chat_template(std::string_view text) {
  if (trim(text).empty()) return fail(Code::invalid_argument, "the template is empty");
  // Both write {{ … }}; only Go's begins names with a dot there, and only Jinja has {% … %}.
  const bool jinja = text.find("{%") != std::string_view::npos;
  bool go = false;
  for (auto at = text.find("{{"); !jinja && at != std::string_view::npos; at = text.find("{{", at + 2)) {
    auto inside = text.substr(at + 2, text.find("}}", at) == std::string_view::npos ? 0 : text.find("}}", at) - at - 2);
    if (inside.starts_with('-')) inside.remove_prefix(1);
    inside = trim(inside);
    go = go || inside.starts_with('.') || inside.starts_with('$') || inside == "end" || inside.starts_with("if ") ||
         inside.starts_with("range ");
  }
  if (go)
    return fail(
        Code::unsupported,
        "the template is written in Go's template language, as Ollama uses it; give a Jinja template, or none: the model file's own "
        "one is used then");
  return {};
}

bool is_empty(const wire::Recipe& recipe) {
  return !recipe.system && recipe.messages.empty() && recipe.parameters.empty() && !recipe.context && !recipe.chat_template;
}

}  // namespace puna::model
