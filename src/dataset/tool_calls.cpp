#include "dataset/tool_calls.h"

#include <fmt/format.h>

#include "dataset/turns.h"

namespace puna::dataset {
namespace {

// JSON text of an object, or nothing.
std::optional<std::string> arguments_of(const json::object& function) {
  const auto* arguments = function.if_contains("arguments");
  if (!arguments) arguments = function.if_contains("parameters");
  if (!arguments || arguments->is_null()) return "{}";
  if (arguments->is_object()) return json::to_text(*arguments);
  if (!arguments->is_string()) return std::nullopt;
  const std::string_view text(arguments->get_string());
  if (text.empty()) return "{}";
  const auto parsed = json::parse(text);
  return parsed && parsed->is_object() ? std::optional<std::string>(text) : std::nullopt;
}

}  // namespace

json::array read_calls(const json::value& value, const std::string& path, std::size_t& count, Problems& problems) {
  json::array out;
  const json::value list = json_within(value);
  if (!list.is_array()) {
    problems.push_back({Kind::bad_tool_call, path, "expected a list of calls"});
    return out;
  }
  for (std::size_t i = 0; i < list.get_array().size(); ++i) {
    const std::string place = fmt::format("{}[{}]", path, i);
    const auto* call = list.get_array()[i].if_object();
    const auto* inner = call ? call->if_contains("function") : nullptr;
    const auto* function = inner ? inner->if_object() : call;
    const auto* name = function ? function->if_contains("name") : nullptr;
    if (!name || !name->is_string() || name->get_string().empty()) {
      problems.push_back({Kind::bad_tool_call, place, "a call needs the function's name"});
      continue;
    }
    const auto arguments = arguments_of(*function);
    if (!arguments) {
      problems.push_back({Kind::bad_tool_call, place + ".arguments", "arguments must be a JSON object, or JSON text of one"});
      continue;
    }
    const auto* id = call->if_contains("id");
    const std::string made = fmt::format("call{:05}", ++count);  // nine letters and digits: Mistral's template asks for that
    out.push_back(json::object{{"id", id && id->is_string() ? *id : json::value(made)},
                               {"type", "function"},
                               {"function", json::object{{"name", *name}, {"arguments", *arguments}}}});
  }
  return out;
}

std::optional<json::array> read_tools(const json::value& value, const std::string& field, Problems& problems) {
  const json::value list = json_within(value);
  if (list.is_null() || (list.is_string() && list.get_string().empty())) return std::nullopt;
  if (!list.is_array()) {
    problems.push_back({Kind::bad_tool_call, field, "expected a list of tools, or JSON text of one"});
    return std::nullopt;
  }
  json::array out;
  for (std::size_t i = 0; i < list.get_array().size(); ++i) {
    const auto* tool = list.get_array()[i].if_object();
    const auto* inner = tool ? tool->if_contains("function") : nullptr;
    const auto* function = inner ? inner->if_object() : tool;
    const auto* name = function ? function->if_contains("name") : nullptr;
    if (!name || !name->is_string() || name->get_string().empty())
      problems.push_back({Kind::bad_tool_call, fmt::format("{}[{}]", field, i), "a tool needs a name"});
    else
      out.push_back(json::object{{"type", "function"}, {"function", *function}});
  }
  return out.empty() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace puna::dataset
