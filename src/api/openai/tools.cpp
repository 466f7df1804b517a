#include "api/openai/tools.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/openai/members.h"
#include "base/text.h"

namespace puna::api::openai {
namespace {

std::string_view function_name(const json::value& tool) {
  const auto* object = tool.if_object();
  const auto* function = object == nullptr ? nullptr : object->if_contains("function");
  return function != nullptr && function->is_object() ? text_member(function->get_object(), "name") : std::string_view();
}

bool is_function(const json::value& tool) {
  return tool.is_object() && text_member(tool.get_object(), "type") == "function";
}

bool is_offered(const json::object& body, std::string_view name) {
  const json::value* tools = present(body, "tools");
  return tools && std::ranges::find(tools->get_array(), name, function_name) != tools->get_array().end();
}

Result<> check_named(const json::object& body, const json::value& tool, const std::string& path) {
  if (!is_function(tool)) return bad(path + ".type", "only 'function' is supported");
  const auto name = function_name(tool);
  if (name.empty()) return bad(path + ".function.name", "required, but missing");
  if (!is_offered(body, name)) return bad(path + ".function.name", fmt::format("'{}' is not among the tools", printable(name)));
  return {};
}

Result<> check_allowed(const json::object& body, const json::object& choice) {
  const json::value* allowed = present(choice, "allowed_tools");
  if (!allowed || !allowed->is_object()) return bad("tool_choice.allowed_tools", "expected an object");
  const auto mode = text_member(allowed->get_object(), "mode");
  if (mode != "auto" && mode != "required")
    return bad("tool_choice.allowed_tools.mode", fmt::format("'{}' is not one of auto, required", printable(mode)));
  const json::value* tools = present(allowed->get_object(), "tools");
  if (!tools || !tools->is_array() || tools->get_array().empty())
    return bad("tool_choice.allowed_tools.tools", "expected an array of tools");
  for (std::size_t i = 0; i < tools->get_array().size(); ++i)
    PUNA_CHECK(check_named(body, tools->get_array()[i], fmt::format("tool_choice.allowed_tools.tools[{}]", i)));
  return {};
}

Result<> check_choice(const json::object& body, const json::value& choice) {
  if (choice.is_object())
    return text_member(choice.get_object(), "type") == "allowed_tools" ? check_allowed(body, choice.get_object())
                                                                       : check_named(body, choice, "tool_choice");
  if (!choice.is_string()) return bad("tool_choice", "expected a string or an object");
  const std::string_view word = choice.get_string();
  if (word != "auto" && word != "none" && word != "required")
    return bad("tool_choice", fmt::format("'{}' is not one of auto, none, required", printable(word)));
  const json::value* tools = present(body, "tools");
  if (word == "required" && (!tools || tools->get_array().empty())) return bad("tool_choice", "'required' needs 'tools'");
  return {};
}

}  // namespace

Result<> check_tools(const json::object& body) {
  const json::value* tools = present(body, "tools");
  for (std::size_t i = 0; tools && i < tools->get_array().size(); ++i) {
    const json::value& tool = tools->get_array()[i];
    const std::string path = fmt::format("tools[{}]", i);
    if (!is_function(tool)) return bad(path + ".type", "only 'function' is supported");
    if (function_name(tool).empty()) return bad(path + ".function.name", "required, but missing");
  }
  const json::value* choice = present(body, "tool_choice");
  return choice ? check_choice(body, *choice) : Result<>{};
}

bool narrow_tools(json::object& body) {
  const json::value* found = present(body, "tool_choice");
  if (!found || !found->is_object()) return false;
  const json::object choice = found->get_object();
  std::vector<std::string> names;
  std::string mode = "required";
  if (const json::value* allowed = present(choice, "allowed_tools")) {
    mode = allowed->at("mode").as_string().c_str();
    for (const auto& tool : allowed->at("tools").as_array()) names.emplace_back(function_name(tool));
  } else {
    names.emplace_back(function_name(*found));
    if (!present(body, "parallel_tool_calls")) body["parallel_tool_calls"] = false;  // one function is one call
  }
  json::array kept;
  for (const auto& tool : body["tools"].as_array())
    if (std::ranges::find(names, function_name(tool)) != names.end()) kept.push_back(tool);
  body["tools"] = std::move(kept);
  body["tool_choice"] = mode;
  return true;
}

}  // namespace puna::api::openai
