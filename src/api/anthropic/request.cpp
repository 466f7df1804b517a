#include "api/anthropic/request.h"

#include <algorithm>

#include "api/anthropic/content.h"
#include "api/openai/members.h"
#include "api/openai/tools.h"
#include "base/text.h"

namespace puna::api::anthropic {
namespace {

using openai::bad;
using openai::present;
using openai::text_member;

// Members that the engine knows by the same name.
constexpr std::array<std::string_view, 11> kAlike = {
    "model", "max_tokens",     "stream",           "temperature",      "top_p", "top_k", "min_p",
    "seed",  "repeat_penalty", "presence_penalty", "frequency_penalty"};

Result<json::object> translate_tool(const json::value& in, const std::string& path) {
  if (!in.is_object()) return bad(path, "expected an object");
  const json::object& tool = in.get_object();
  if (const auto type = text_member(tool, "type"); !type.empty() && type != "custom")
    return fail(Code::unsupported,
                fmt::format("{}.type: '{}' runs or is known at Anthropic only; give a tool with an input_schema of its own", path,
                            printable(type)));
  ConformanceTable table = tool_table();
  table.of = path;
  PUNA_CHECK(check_members(table, tool));
  if (text_member(tool, "name").empty()) return bad(path + ".name", "required, but missing");
  const json::value* schema = present(tool, "input_schema");
  if (!schema) return bad(path + ".input_schema", "required, but missing");
  return json::object{
      {"type", "function"},
      {"function",
       json::object{{"name", text_member(tool, "name")}, {"description", text_member(tool, "description")}, {"parameters", *schema}}}};
}

Result<> translate_tools(const json::object& body, json::object& out) {
  const json::value* tools = present(body, "tools");
  if (!tools || tools->get_array().empty()) return {};
  json::array translated;
  for (std::size_t i = 0; i < tools->get_array().size(); ++i) {
    PUNA_TRY(auto tool, translate_tool(tools->get_array()[i], fmt::format("tools[{}]", i)));
    translated.push_back(std::move(tool));
  }
  out["tools"] = std::move(translated);
  return {};
}

Result<> translate_choice(const json::object& body, json::object& out) {
  const json::value* found = present(body, "tool_choice");
  if (!found) return {};
  const json::object& choice = found->get_object();
  PUNA_CHECK(check_members(tool_choice_table(), choice));
  const auto type = text_member(choice, "type");
  if (type == "auto" || type == "none") {
    out["tool_choice"] = type;
  } else if (type == "any") {
    out["tool_choice"] = "required";
  } else if (type == "tool") {
    const auto name = text_member(choice, "name");
    if (name.empty()) return bad("tool_choice.name", "required, but missing");
    out["tool_choice"] = json::object{{"type", "function"}, {"function", json::object{{"name", name}}}};
  } else {
    return bad("tool_choice.type", fmt::format("'{}' is not one of auto, any, tool, none", printable(type)));
  }
  if (const json::value* single = present(choice, "disable_parallel_tool_use"); single && single->get_bool())
    out["parallel_tool_calls"] = false;
  return {};
}

Result<> translate_thinking(const json::object& body, json::object& out, Expectations& expectations) {
  bool think = false;
  if (const json::value* found = present(body, "thinking")) {
    const json::object& thinking = found->get_object();
    PUNA_CHECK(check_members(thinking_table(), thinking));
    const auto type = text_member(thinking, "type");
    constexpr std::array<std::string_view, 4> kTypes = {"enabled", "disabled", "adaptive", "between_tools"};
    if (std::ranges::find(kTypes, type) == kTypes.end())
      return bad("thinking.type", fmt::format("'{}' is not one of enabled, disabled, adaptive", printable(type)));
    think = type != "disabled";
    expectations.thinking = think && text_member(thinking, "display") != "omitted";
    const json::value* budget = present(thinking, "budget_tokens");
    if (type == "enabled" && !budget) return bad("thinking.budget_tokens", "required, but missing");
    if (budget && expectations.max_tokens > 0 && budget->to_number<double>() >= static_cast<double>(expectations.max_tokens))
      return bad("thinking.budget_tokens", fmt::format("must be less than max_tokens, which is {}", expectations.max_tokens));
    if (budget) out["thinking_budget_tokens"] = *budget;
  }
  json::object kwargs{{"enable_thinking", think}};
  if (const json::value* own = present(body, "chat_template_kwargs"))
    for (const auto& member : own->get_object()) kwargs[member.key()] = member.value();
  out["chat_template_kwargs"] = std::move(kwargs);
  return {};
}

Result<> translate_format(const json::object& format, const std::string& path, json::object& out) {
  if (text_member(format, "type") != "json_schema") return bad(path + ".type", "only 'json_schema' is supported");
  const json::value* schema = present(format, "schema");
  if (!schema || !schema->is_object()) return bad(path + ".schema", "expected an object");
  out["response_format"] = json::object{{"type", "json_schema"}, {"json_schema", json::object{{"name", "answer"}, {"schema", *schema}}}};
  return {};
}

Result<> translate_output(const json::object& body, json::object& out) {
  if (const json::value* format = present(body, "output_format")) PUNA_CHECK(translate_format(format->get_object(), "output_format", out));
  const json::value* found = present(body, "output_config");
  if (!found) return {};
  const json::object& config = found->get_object();
  PUNA_CHECK(check_members(output_config_table(), config));
  if (const json::value* format = present(config, "format"))
    PUNA_CHECK(translate_format(format->get_object(), "output_config.format", out));
  const auto effort = text_member(config, "effort");
  if (effort.empty()) return {};
  constexpr std::array<std::string_view, 5> kEfforts = {"low", "medium", "high", "xhigh", "max"};
  if (std::ranges::find(kEfforts, effort) == kEfforts.end())
    return bad("output_config.effort", fmt::format("'{}' is not one of low, medium, high, xhigh, max", printable(effort)));
  out["reasoning_effort"] = effort == "xhigh" || effort == "max" ? std::string_view("high") : effort;  // templates know three
  return {};
}

Result<> translate_stops(const json::object& body, json::object& out, Expectations& expectations) {
  const json::value* stops = present(body, "stop_sequences");
  if (!stops) return {};
  for (std::size_t i = 0; i < stops->get_array().size(); ++i) {
    const json::value& stop = stops->get_array()[i];
    if (!stop.is_string() || stop.get_string().empty())
      return bad(fmt::format("stop_sequences[{}]", i), "expected a string with at least one character");
    expectations.stop_sequences.emplace_back(std::string_view(stop.get_string()));
  }
  if (expectations.stop_sequences.empty()) return {};
  out["stop"] = *stops;
  out["verbose"] = true;  // only then does the engine tell which one it was
  return {};
}

// A conversation that ends with the assistant's words is continued from there.
void continue_answer(json::object& out, Expectations& expectations) {
  const json::object& last = out.at("messages").as_array().back().get_object();
  if (text_member(last, "role") != "assistant" || last.contains("tool_calls")) return;
  expectations.begun = text_member(last, "content");
  out["continue_final_message"] = true;
  out["add_generation_prompt"] = false;
}

Result<std::optional<std::string>> keep_alive_of(const json::object& body) {
  const json::value* found = present(body, "keep_alive");
  if (!found) return std::nullopt;
  if (found->is_string()) return std::string(std::string_view(found->get_string()));
  if (found->is_number()) return json::to_text(*found);
  return fail(json::detail::type_error("keep_alive", "a duration such as \"5m\"", *found));
}

}  // namespace

Result<Request> translate(Endpoint endpoint, std::string_view text) {
  if (!is_utf8(text)) return fail(Code::invalid_argument, "the request body is not UTF-8");
  PUNA_TRY(const auto body, json::parse_object(text));
  PUNA_CHECK(check_members(table(endpoint), body));
  if (text_member(body, "model").empty()) return bad("model", "required, but missing");
  Request request;
  json::object& out = request.chat.body;
  for (const auto name : kAlike)
    if (const json::value* found = present(body, name)) out[name] = *found;
  if (const json::value* most = present(body, "max_tokens"))
    request.expectations.max_tokens = most->to_number<std::int64_t>();
  else if (endpoint == Endpoint::messages)
    return bad("max_tokens", "required, but missing");
  PUNA_TRY(out["messages"], to_messages(body));
  continue_answer(out, request.expectations);
  PUNA_CHECK(translate_tools(body, out));
  PUNA_CHECK(translate_choice(body, out));
  PUNA_CHECK(openai::check_tools(out));
  PUNA_CHECK(translate_thinking(body, out, request.expectations));
  PUNA_CHECK(translate_output(body, out));
  PUNA_CHECK(translate_stops(body, out, request.expectations));

  openai::Request& chat = request.chat;
  chat.model = text_member(body, "model");
  const json::value* stream = present(body, "stream");
  chat.stream = stream && stream->get_bool();
  if (chat.stream) {
    out["return_progress"] = true;  // tells the prompt's length before the first token
    out["stream_options"] = json::object{{"include_usage", true}};
  }
  chat.tools = out.contains("tools") && text_member(out, "tool_choice") != "none";
  PUNA_TRY(chat.keep_alive, keep_alive_of(body));
  PUNA_TRY(chat.overflow, openai::overflow_of(body));
  if (const json::value* adapters = present(body, "adapters")) {
    PUNA_TRY(chat.adapters, json::decode<std::vector<wire::AdapterUse>>(*adapters, json::Unknown::refuse, "adapters"));
  }
  openai::narrow_tools(out);
  chat.rewritten = true;
  return request;
}

}  // namespace puna::api::anthropic
