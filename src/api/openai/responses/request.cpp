#include "api/openai/responses/request.h"

#include <fmt/format.h>

#include <array>

#include "api/openai/members.h"
#include "api/openai/responses/items.h"
#include "api/openai/tables.h"
#include "base/text.h"

namespace puna::api::openai::responses {
namespace {

constexpr std::string_view kLogprobs = "message.output_text.logprobs";
constexpr std::string_view kEncryptedReasoning = "reasoning.encrypted_content";

const json::object& object_member(const json::object& body, std::string_view name) {
  static const json::object kNone;
  const json::value* found = present(body, name);
  return found && found->is_object() ? found->get_object() : kNone;
}

// {"type":"function","name":…} as chats write it: {"type":"function","function":{"name":…}}.
json::object wrapped(json::object function) {
  function.erase("type");
  return {{"type", "function"}, {"function", std::move(function)}};
}

Result<> check_function(const json::value& tool, const std::string& path) {
  if (!tool.is_object()) return bad(path, "expected an object");
  const auto type = text_member(tool.get_object(), "type");
  if (type != "function")
    return fail(Code::unsupported, fmt::format("{}.type: '{}' is not run by this server; only 'function' is, and your program calls it",
                                               path, printable(type)));
  if (text_member(tool.get_object(), "name").empty()) return bad(path + ".name", "required, but missing");
  return {};
}

Result<json::array> wrap_tools(const json::array& tools, std::string_view path) {
  json::array out;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    PUNA_CHECK(check_function(tools[i], fmt::format("{}[{}]", path, i)));
    out.push_back(wrapped(tools[i].get_object()));
  }
  return out;
}

Result<json::value> chat_choice(const json::value& choice) {
  if (!choice.is_object()) return choice;
  const auto& object = choice.get_object();
  if (text_member(object, "type") != "allowed_tools") {
    PUNA_CHECK(check_function(choice, "tool_choice"));
    return wrapped(object);
  }
  const json::value* tools = present(object, "tools");
  if (!tools || !tools->is_array()) return bad("tool_choice.tools", "expected an array of tools");
  PUNA_TRY(auto allowed, wrap_tools(tools->get_array(), "tool_choice.tools"));
  return json::object{{"type", "allowed_tools"},
                      {"allowed_tools", json::object{{"mode", text_member(object, "mode")}, {"tools", std::move(allowed)}}}};
}

Result<> take_tools(const json::object& body, json::object& chat) {
  if (const json::value* tools = present(body, "tools")) {
    PUNA_TRY(auto wrapped_tools, wrap_tools(tools->get_array(), "tools"));
    if (!wrapped_tools.empty()) chat["tools"] = std::move(wrapped_tools);
  }
  if (const json::value* choice = present(body, "tool_choice")) {
    PUNA_TRY(chat["tool_choice"], chat_choice(*choice));
  }
  return {};
}

Result<> take_text(const json::object& body, json::object& chat) {
  const auto& text = object_member(body, "text");
  PUNA_CHECK(check_members(text_table(), text));
  if (const auto verbosity = text_member(text, "verbosity"); !verbosity.empty() && verbosity != "medium")
    return fail(Code::unsupported, "text.verbosity: only 'medium' can be had here; ask for the length you want in the prompt");
  const auto& format = object_member(text, "format");
  if (format.empty()) return {};
  const auto type = text_member(format, "type");
  if (type == "text" || type == "json_object") {
    chat["response_format"] = json::object{{"type", type}};
    return {};
  }
  if (type != "json_schema")
    return bad("text.format.type", fmt::format("'{}' is not one of text, json_object, json_schema", printable(type)));
  const json::value* schema = present(format, "schema");
  if (!schema || !schema->is_object()) return bad("text.format.schema", "expected an object");
  chat["response_format"] =
      json::object{{"type", "json_schema"}, {"json_schema", json::object{{"name", text_member(format, "name")}, {"schema", *schema}}}};
  return {};
}

Result<> take_include(const json::object& body, json::object& chat) {
  const json::value* include = present(body, "include");
  for (std::size_t i = 0; include && i < include->get_array().size(); ++i) {
    const json::value& wanted = include->get_array()[i];
    const std::string_view name = wanted.is_string() ? std::string_view(wanted.get_string()) : std::string_view();
    if (name == kEncryptedReasoning) continue;  // the reasoning comes in clear
    if (name != kLogprobs)
      return fail(Code::unsupported, fmt::format("include[{}]: '{}' is not supported here; there are {} and {}", i, printable(name),
                                                 kLogprobs, kEncryptedReasoning));
    chat["logprobs"] = true;
    if (!present(body, "top_logprobs")) chat["top_logprobs"] = 1;
  }
  if (const json::value* top = present(body, "top_logprobs"); top && *top != json::value(0)) {
    chat["logprobs"] = true;
    chat["top_logprobs"] = *top;
  }
  return {};
}

Result<> refuse_what_is_not_offered(const json::object& body) {
  if (const json::value* background = present(body, "background"); background && background->get_bool())
    return fail(Code::unsupported, "background: answers are given while you wait; for later ones send a batch to /v1/batches");
  return {};
}

// Members that mean the same in a chat, and extensions that go through.
void copy_members(const json::object& body, json::object& chat) {
  constexpr std::array<std::string_view, 6> kSame = {"model", "stream", "temperature", "top_p", "truncation", "parallel_tool_calls"};
  for (const auto name : kSame)
    if (const json::value* found = present(body, name)) chat[name] = *found;
  for (const auto& row : responses_table().members)
    if (const json::value* found = row.ours ? present(body, row.name) : nullptr) chat[row.name] = *found;
  if (const json::value* truncation = present(body, "truncation")) chat["truncation"] = *truncation;
  if (const json::value* length = present(body, "max_output_tokens")) chat["max_tokens"] = *length;
  if (const auto effort = text_member(object_member(body, "reasoning"), "effort"); !effort.empty()) chat["reasoning_effort"] = effort;
  if (const json::value* stream = present(body, "stream"); stream && stream->get_bool())
    chat["stream_options"] = json::object{{"include_usage", true}};
}

json::value member_or(const json::object& body, std::string_view name, json::value otherwise) {
  const json::value* found = present(body, name);
  return found ? *found : std::move(otherwise);
}

json::object echo_of(const json::object& body) {
  const auto& reasoning = object_member(body, "reasoning");
  const auto& text = object_member(body, "text");
  json::object out{{"text", json::object{{"format", member_or(text, "format", json::object{{"type", "text"}})}}},
                   {"reasoning", json::object{{"effort", member_or(reasoning, "effort", nullptr)}, {"summary", nullptr}}},
                   {"tool_choice", member_or(body, "tool_choice", "auto")},
                   {"tools", member_or(body, "tools", json::array{})},
                   {"parallel_tool_calls", member_or(body, "parallel_tool_calls", true)},
                   {"truncation", member_or(body, "truncation", "disabled")},
                   {"metadata", member_or(body, "metadata", json::object{})},
                   {"top_logprobs", member_or(body, "top_logprobs", 0)},
                   {"background", false}};
  for (const auto name : {"instructions", "max_output_tokens", "previous_response_id", "temperature", "top_p", "user"})
    out[name] = member_or(body, name, nullptr);
  return out;
}

}  // namespace

Result<Request> read_request(std::string_view text) {
  if (!is_utf8(text)) return fail(Code::invalid_argument, "the request body is not UTF-8");
  PUNA_TRY(const auto body, json::parse_object(text));
  PUNA_CHECK(check_members(responses_table(), body));
  PUNA_CHECK(check_members(reasoning_table(), object_member(body, "reasoning")));
  PUNA_CHECK(refuse_what_is_not_offered(body));
  Request out;
  const json::value* input = present(body, "input");
  if (!input) return bad("input", "required, but missing");
  PUNA_TRY(out.input, read_items(*input));
  copy_members(body, out.chat);
  PUNA_CHECK(take_tools(body, out.chat));
  PUNA_CHECK(take_text(body, out.chat));
  PUNA_CHECK(take_include(body, out.chat));
  if (const auto words = text_member(body, "instructions"); !words.empty()) out.instructions = words;
  if (const auto previous = text_member(body, "previous_response_id"); !previous.empty()) out.previous = previous;
  if (const json::value* store = present(body, "store")) out.store = store->get_bool();
  out.echo = echo_of(body);
  return out;
}

}  // namespace puna::api::openai::responses
