#include "api/ollama/request.h"

#include <algorithm>
#include <deque>

#include "api/openai/members.h"
#include "api/openai/tools.h"
#include "base/text.h"

namespace puna::api::ollama {
namespace {

using openai::bad;
using openai::present;
using openai::text_member;

Result<json::object> parse(Endpoint endpoint, std::string_view text) {
  if (!is_utf8(text)) return fail(Code::invalid_argument, "the request body is not UTF-8");
  PUNA_TRY(auto body, json::parse_object(text));
  PUNA_CHECK(check_members(table(endpoint), body));
  return body;
}

bool flag(const json::object& body, std::string_view name, bool absent) {
  const json::value* found = present(body, name);
  return found ? found->get_bool() : absent;
}

Result<std::optional<std::string>> keep_alive_of(const json::object& body) {
  const json::value* found = present(body, "keep_alive");
  if (!found) return std::nullopt;
  if (found->is_string()) return std::string(std::string_view(found->get_string()));
  if (found->is_number()) return json::to_text(*found);
  return fail(json::detail::type_error("keep_alive", "a duration such as \"5m\", or seconds", *found));
}

// The engine's names for options are Ollama's, but for these.
Result<std::optional<std::int64_t>> translate_options(const json::object& body, json::object& out) {
  const json::value* found = present(body, "options");
  if (!found) return std::nullopt;
  const json::object& options = found->get_object();
  PUNA_CHECK(check_members(options_table(), options));
  std::optional<std::int64_t> context;
  for (const auto& row : options_table().members) {
    const json::value* value = present(options, row.name);
    if (!value || row.treatment != Treatment::honoured) continue;
    if (row.name == "num_ctx") {
      context = value->to_number<std::int64_t>();
    } else if (row.name == "num_predict") {
      if (value->to_number<std::int64_t>() >= 0) out["max_tokens"] = *value;  // below: as long as it likes, which is the engine's way
    } else if (row.name == "repeat_last_n" && value->to_number<std::int64_t>() < 0) {
      out[row.name] = 2147483647;
    } else if (row.name == "stop" && value->is_string()) {
      out[row.name] = json::array{*value};
    } else {
      out[row.name] = *value;
    }
  }
  return context;
}

Result<> translate_format(const json::object& body, json::object& out, Style style) {
  const json::value* format = present(body, "format");
  if (!format || *format == json::value("")) return {};
  const bool any = *format == json::value("json");
  if (!any && !format->is_object()) return bad("format", "expected \"json\" or a JSON schema");
  if (style == Style::raw || style == Style::infill)
    out["json_schema"] = any ? json::value(json::object{{"type", "object"}}) : *format;
  else if (any)
    out["response_format"] = json::object{{"type", "json_object"}};
  else
    out["response_format"] = json::object{{"type", "json_schema"}, {"json_schema", json::object{{"name", "answer"}, {"schema", *format}}}};
  return {};
}

Result<> translate_think(const json::object& body, Request& request) {
  const json::value* think = present(body, "think");
  if (!think) return {};
  json::object& out = request.engine.body;
  if (think->is_bool()) {
    request.wants_thinking = think->get_bool();
    out["chat_template_kwargs"] = json::object{{"enable_thinking", request.wants_thinking}};
    return {};
  }
  constexpr std::array<std::string_view, 4> kLevels = {"low", "medium", "high", "max"};
  const auto level = think->is_string() ? std::string_view(think->get_string()) : std::string_view();
  if (std::ranges::find(kLevels, level) == kLevels.end())
    return bad("think", "expected true, false, \"low\", \"medium\", \"high\" or \"max\"");
  request.wants_thinking = true;
  out["chat_template_kwargs"] = json::object{{"enable_thinking", true}};
  out["reasoning_effort"] = level == "max" ? std::string_view("high") : level;  // templates know three
  return {};
}

// Images are bare base64; what they are is told by how it begins.
std::string_view media_type(std::string_view base64) {
  if (base64.starts_with("/9j/")) return "image/jpeg";
  if (base64.starts_with("R0lG")) return "image/gif";
  if (base64.starts_with("UklG")) return "image/webp";
  return "image/png";
}

Result<json::value> content_with_images(std::string_view text, const json::value* images, const std::string& path) {
  if (!images || images->get_array().empty()) return json::value(text);
  json::array parts;
  if (!text.empty()) parts.push_back(json::object{{"type", "text"}, {"text", text}});
  for (std::size_t i = 0; i < images->get_array().size(); ++i) {
    const json::value& image = images->get_array()[i];
    if (!image.is_string()) return bad(fmt::format("{}[{}]", path, i), "expected an image as base64");
    const std::string_view data = image.get_string();
    parts.push_back(json::object{{"type", "image_url"},
                                 {"image_url", json::object{{"url", fmt::format("data:{};base64,{}", media_type(data), data)}}}});
  }
  return json::value(std::move(parts));
}

// Ollama's tool calls need no ids; the engine's do.
class Conversation {
 public:
  Result<> add(const json::value& message, const std::string& path);
  json::array take() { return std::move(messages_); }

 private:
  struct Pending {
    std::string id;
    std::string name;
  };
  Result<> add_calls(const json::value& calls, json::object& out, const std::string& path);
  Pending answered(const json::object& message);

  json::array messages_;
  std::deque<Pending> pending_;
  int calls_ = 0;
};

Result<> Conversation::add_calls(const json::value& calls, json::object& out, const std::string& path) {
  json::array translated;
  pending_.clear();
  for (std::size_t i = 0; i < calls.get_array().size(); ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    const json::value& call = calls.get_array()[i];
    const json::value* function = call.is_object() ? present(call.get_object(), "function") : nullptr;
    if (!function || !function->is_object()) return bad(at + ".function", "expected an object");
    const auto name = text_member(function->get_object(), "name");
    if (name.empty()) return bad(at + ".function.name", "required, but missing");
    const json::value* arguments = present(function->get_object(), "arguments");
    if (arguments && !arguments->is_object()) return bad(at + ".function.arguments", "expected an object");
    const auto given = text_member(call.get_object(), "id");
    pending_.push_back({given.empty() ? fmt::format("call_{}", ++calls_) : std::string(given), std::string(name)});
    translated.push_back(
        json::object{{"id", pending_.back().id},
                     {"type", "function"},
                     {"function", json::object{{"name", name}, {"arguments", arguments ? json::to_text(*arguments) : std::string("{}")}}}});
  }
  if (!translated.empty()) out["tool_calls"] = std::move(translated);
  return {};
}

// The call that a tool's message answers: by its id, else by its name, else the oldest.
Conversation::Pending Conversation::answered(const json::object& message) {
  const auto id = text_member(message, "tool_call_id");
  const auto name = text_member(message, "tool_name");
  const auto found =
      std::ranges::find_if(pending_, [&](const Pending& call) { return !id.empty() ? call.id == id : name.empty() || call.name == name; });
  if (found == pending_.end()) return {id.empty() ? fmt::format("call_{}", ++calls_) : std::string(id), std::string(name)};
  Pending out = *found;
  pending_.erase(found);
  return out;
}

Result<> Conversation::add(const json::value& in, const std::string& path) {
  if (!in.is_object()) return bad(path, "expected an object");
  const json::object& message = in.get_object();
  ConformanceTable table = message_table();
  table.of = path;
  PUNA_CHECK(check_members(table, message));
  const std::string role = lower_ascii(text_member(message, "role"));
  constexpr std::array<std::string_view, 4> kRoles = {"system", "user", "assistant", "tool"};
  if (std::ranges::find(kRoles, role) == kRoles.end())
    return bad(path + ".role", fmt::format("'{}' is not one of system, user, assistant, tool", printable(role)));
  json::object out{{"role", role}};
  PUNA_TRY(out["content"], content_with_images(text_member(message, "content"), present(message, "images"), path + ".images"));
  if (const auto thinking = text_member(message, "thinking"); !thinking.empty()) out["reasoning_content"] = thinking;
  if (const json::value* calls = present(message, "tool_calls")) PUNA_CHECK(add_calls(*calls, out, path + ".tool_calls"));
  if (role == "tool") {
    const Pending call = answered(message);
    out["tool_call_id"] = call.id;
    if (!call.name.empty()) out["name"] = call.name;
  }
  messages_.push_back(std::move(out));
  return {};
}

Result<json::array> translate_messages(const json::array& messages) {
  Conversation conversation;
  for (std::size_t i = 0; i < messages.size(); ++i) PUNA_CHECK(conversation.add(messages[i], fmt::format("messages[{}]", i)));
  return conversation.take();
}

// A conversation that ends with the assistant's words is continued from there.
void continue_answer(Request& request) {
  json::object& out = request.engine.body;
  const json::object& last = out.at("messages").as_array().back().get_object();
  if (text_member(last, "role") != "assistant" || last.contains("tool_calls")) return;
  request.expectations.begun = text_member(last, "content");
  out["continue_final_message"] = true;
  out["add_generation_prompt"] = false;
}

std::string ignored_members(const ConformanceTable& table, const json::object& body) {
  auto names = unlisted(table, body);
  if (const json::value* options = present(body, "options"))
    for (auto& name : unlisted(options_table(), options->get_object())) names.push_back(std::move(name));
  return join(names, ", ");
}

// What chat and generate share. The style must be known.
Result<> translate_common(const ConformanceTable& table, const json::object& body, Request& request) {
  openai::Request& engine = request.engine;
  request.expectations.model = engine.model = text_member(body, "model");
  if (engine.model.empty()) return bad("model", "required, but missing");
  request.expectations.ignored = ignored_members(table, body);
  engine.stream = flag(body, "stream", true);
  PUNA_TRY(engine.keep_alive, keep_alive_of(body));
  PUNA_TRY(request.context, translate_options(body, engine.body));
  PUNA_CHECK(translate_format(body, engine.body, request.expectations.style));
  PUNA_CHECK(translate_think(body, request));
  if (flag(body, "logprobs", false)) {
    const json::value* top = present(body, "top_logprobs");
    request.expectations.alternatives = top && top->to_number<std::int64_t>() > 0;
    engine.body["logprobs"] = true;
    engine.body["top_logprobs"] = request.expectations.alternatives ? *top : json::value(1);
  }
  if (flag(body, "truncate", false) || flag(body, "shift", false)) engine.overflow = wire::Overflow::shift;
  engine.body["model"] = engine.model;
  engine.body["stream"] = engine.stream;
  if (engine.stream) engine.body["stream_options"] = json::object{{"include_usage", true}};
  engine.rewritten = true;
  return {};
}

Result<> refuse_unless_empty(const json::object& body, std::string_view name, std::string_view way_out) {
  const json::value* found = present(body, name);
  if (!found || (found->is_string() && found->get_string().empty()) || (found->is_array() && found->get_array().empty())) return {};
  return fail(Code::unsupported, fmt::format("{}: not supported here; {}", name, way_out));
}

// The prompt as a conversation of one turn.
Result<> prompt_as_chat(const json::object& body, Request& request) {
  json::array messages;
  if (const auto system = text_member(body, "system"); !system.empty())
    messages.push_back(json::object{{"role", "system"}, {"content", system}});
  PUNA_TRY(auto content, content_with_images(text_member(body, "prompt"), present(body, "images"), "images"));
  messages.push_back(json::object{{"role", "user"}, {"content", std::move(content)}});
  request.engine.body["messages"] = std::move(messages);
  return {};
}

}  // namespace

Result<Request> translate_chat(std::string_view text) {
  PUNA_TRY(const auto body, parse(Endpoint::chat, text));
  Request request{.expectations = {.style = Style::chat}};
  PUNA_CHECK(translate_common(table(Endpoint::chat), body, request));
  json::object& out = request.engine.body;
  const json::value* messages = present(body, "messages");
  if (!messages || messages->get_array().empty()) return out.clear(), request;
  PUNA_TRY(out["messages"], translate_messages(messages->get_array()));
  continue_answer(request);
  if (const json::value* tools = present(body, "tools"); tools && !tools->get_array().empty()) {
    out["tools"] = *tools;
    PUNA_CHECK(openai::check_tools(out));
    request.engine.tools = true;
  }
  return request;
}

Result<Request> translate_generate(std::string_view text) {
  PUNA_TRY(const auto body, parse(Endpoint::generate, text));
  PUNA_CHECK(refuse_unless_empty(body, "template", "make a model with a Jinja template (/api/create), or send messages to /api/chat"));
  PUNA_CHECK(refuse_unless_empty(body, "context", "send the conversation as messages to /api/chat"));
  const auto suffix = text_member(body, "suffix");
  Request request{.expectations = {.style = Style::generate}};
  if (flag(body, "raw", false)) request.expectations.style = Style::raw;
  if (!suffix.empty()) request.expectations.style = Style::infill;
  PUNA_CHECK(translate_common(table(Endpoint::generate), body, request));
  json::object& out = request.engine.body;
  const auto prompt = text_member(body, "prompt");
  const json::value* images = present(body, "images");
  const bool pictures = images && !images->get_array().empty();
  if (prompt.empty() && suffix.empty() && !pictures) return out.clear(), request;
  if (request.expectations.style == Style::generate) {
    PUNA_CHECK(prompt_as_chat(body, request));
    return request;
  }
  if (pictures) return bad("images", "a raw prompt and one with a suffix have none");
  if (request.expectations.style == Style::infill) {
    out["input_prefix"] = prompt;
    out["input_suffix"] = suffix;
    if (const json::value* most = present(out, "max_tokens")) out["n_predict"] = *most;
  } else {
    out["prompt"] = prompt;
    if (out.contains("logprobs")) out["logprobs"] = out["top_logprobs"];
  }
  return request;
}

Result<Embedding> translate_embedding(Endpoint endpoint, std::string_view text) {
  PUNA_TRY(const auto body, parse(endpoint, text));
  Embedding out;
  out.model = out.engine.model = text_member(body, "model");
  if (out.model.empty()) return bad("model", "required, but missing");
  PUNA_TRY(out.engine.keep_alive, keep_alive_of(body));
  json::object options;
  PUNA_TRY(out.context, translate_options(body, options));
  if (const json::value* dimensions = present(body, "dimensions")) out.dimensions = dimensions->to_number<std::int64_t>();
  const std::string_view name = endpoint == Endpoint::embed ? "input" : "prompt";
  const json::value* input = present(body, name);
  if (!input) return out;
  const bool texts = input->is_array() && std::ranges::all_of(input->get_array(), [](const auto& item) { return item.is_string(); });
  if (!input->is_string() && !texts) return fail(json::detail::type_error(name, "a string or an array of strings", *input));
  if ((input->is_string() && input->get_string().empty()) || (texts && input->get_array().empty())) return out;
  out.engine.body = {{"model", out.model}, {"input", *input}};
  out.engine.rewritten = true;
  return out;
}

Result<Named> read_named(Endpoint endpoint, std::string_view text) {
  PUNA_TRY(auto body, parse(endpoint, text));
  auto model = text_member(body, "model");
  if (model.empty()) model = text_member(body, "name");
  if (model.empty()) return bad("model", "required, but missing");
  return Named{std::string(model), std::move(body)};
}

}  // namespace puna::api::ollama
