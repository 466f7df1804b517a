#include "api/openai/parameters.h"

#include <algorithm>

#include "base/text.h"

namespace puna::api::openai {
namespace {

using enum Kind;
constexpr auto kNoted = Treatment::noted;
constexpr auto kRefused = Treatment::refused;
constexpr double kAny = 9e15;

constexpr Parameter extension(std::string_view name, Kind kind, double min = -kAny, double max = kAny) {
  return {name, kind, Treatment::honoured, min, max, {}, true};
}
constexpr Parameter refused(std::string_view name, std::string_view advice) {
  return {name, any, kRefused, -kAny, kAny, advice};
}

// What chat and plain completions share: sampling, length, streaming.
#define PUNA_SAMPLING_PARAMETERS                                                                                                          \
  Parameter{"model", text}, Parameter{"stream", boolean}, Parameter{"stream_options", object},                                            \
      Parameter{"temperature", number, Treatment::honoured, 0, 100}, Parameter{"top_p", number, Treatment::honoured, 0, 1},               \
      Parameter{"n", integer, Treatment::honoured, 1, 256}, Parameter{"max_tokens", integer, Treatment::honoured, 1, kAny},               \
      Parameter{"stop", text_or_list}, Parameter{"seed", integer, Treatment::honoured, -1, 4294967295.0},                                 \
      Parameter{"presence_penalty", number, Treatment::honoured, -2, 2},                                                                  \
      Parameter{"frequency_penalty", number, Treatment::honoured, -2, 2}, Parameter{"logit_bias", token_map},                             \
      Parameter{"user", text, kNoted}, extension("top_k", integer, 0), extension("min_p", number, 0, 1),                                  \
      extension("typical_p", number, 0, 1), extension("top_n_sigma", number), extension("repeat_penalty", number, 0),                     \
      extension("repeat_last_n", integer, 0), extension("dynatemp_range", number, 0), extension("dynatemp_exponent", number, 0),          \
      extension("mirostat", integer, 0, 2), extension("mirostat_tau", number, 0), extension("mirostat_eta", number, 0),                   \
      extension("dry_multiplier", number, 0), extension("dry_base", number, 0), extension("dry_allowed_length", integer, 0),              \
      extension("dry_penalty_last_n", integer, -1), extension("dry_sequence_breakers", list), extension("xtc_probability", number, 0, 1), \
      extension("xtc_threshold", number, 0, 1), extension("min_keep", integer, 0), extension("samplers", list),                           \
      extension("grammar", text), extension("json_schema", object), extension("ignore_eos", boolean), extension("cache_prompt", boolean), \
      extension("timings_per_token", boolean), extension("return_progress", boolean), extension("keep_alive", any)

constexpr std::array kChat = {
    PUNA_SAMPLING_PARAMETERS,
    Parameter{"messages", list},
    Parameter{"max_completion_tokens", integer, Treatment::honoured, 1, kAny},
    Parameter{"logprobs", boolean},
    Parameter{"top_logprobs", integer, Treatment::honoured, 0, 20},
    Parameter{"response_format", object},
    Parameter{"tools", list},
    Parameter{"tool_choice", any},
    Parameter{"parallel_tool_calls", boolean},
    Parameter{"reasoning_effort", text},
    extension("reasoning_format", text),
    extension("thinking_budget_tokens", integer, -1),
    extension("chat_template_kwargs", object),
    extension("add_generation_prompt", boolean),
    extension("continue_final_message", any),
    Parameter{"metadata", object, kNoted},
    Parameter{"safety_identifier", text, kNoted},
    Parameter{"prompt_cache_key", text, kNoted},
    Parameter{"prompt_cache_retention", text, kNoted},
    Parameter{"service_tier", text, kNoted},
    Parameter{"store", boolean},
    Parameter{"modalities", list},
    refused("functions", "use 'tools'"),
    refused("function_call", "use 'tool_choice'"),
    refused("audio", "this server answers in text"),
    refused("prediction", "predicted outputs are not supported"),
    refused("web_search_options", "this server does not search the web"),
    refused("verbosity", "ask for the length you want in the prompt"),
};

constexpr std::array kCompletions = {
    PUNA_SAMPLING_PARAMETERS,
    Parameter{"prompt", any},
    Parameter{"logprobs", integer, Treatment::honoured, 0, 20},
    Parameter{"echo", boolean},
    refused("suffix", "fill-in-the-middle is not offered here"),
    refused("best_of", "use 'n'"),
};
#undef PUNA_SAMPLING_PARAMETERS

constexpr std::array kEmbeddings = {
    Parameter{"model", text},
    Parameter{"input", any},
    Parameter{"encoding_format", text},
    Parameter{"user", text, kNoted},
    refused("dimensions", "the model's own number of dimensions is returned; shorten the vectors yourself"),
    extension("keep_alive", any),
};

std::unexpected<Error> bad(std::string_view name, std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("{}: {}", name, why));
}

std::string_view expectation(Kind kind) {
  switch (kind) {
    case boolean:
      return "true or false";
    case integer:
      return "an integer";
    case number:
      return "a number";
    case text:
      return "a string";
    case list:
      return "an array";
    case object:
      return "an object";
    case text_or_list:
      return "a string or an array of strings";
    case token_map:
      return "an object from token to bias";
    case any:
      return "a value";
  }
  return "a value";
}

bool all_strings(const json::value& in) {
  return std::ranges::all_of(in.get_array(), [](const json::value& item) { return item.is_string(); });
}

bool fits(Kind kind, const json::value& in) {
  switch (kind) {
    case boolean:
      return in.is_bool();
    case integer:
      return in.is_int64() || in.is_uint64();
    case number:
      return in.is_number();
    case text:
      return in.is_string();
    case list:
      return in.is_array();
    case object:
      return in.is_object();
    case text_or_list:
      return in.is_string() || (in.is_array() && all_strings(in));
    case token_map:
      return in.is_object() || in.is_array();
    case any:
      return true;
  }
  return true;
}

Result<> check_member(const Parameter& row, const json::value& in) {
  if (row.treatment == kRefused) return fail(Code::unsupported, fmt::format("{}: not supported here; {}", row.name, row.advice));
  if (!fits(row.kind, in)) return fail(json::detail::type_error(row.name, expectation(row.kind), in));
  if (!in.is_number() || row.kind == any) return {};
  const double amount = in.to_number<double>();
  if (amount < row.min) return bad(row.name, fmt::format("{} is below the least value {}", json::to_text(in), row.min));
  if (amount > row.max) return bad(row.name, fmt::format("{} is above the greatest value {}", json::to_text(in), row.max));
  return {};
}

const Parameter* find(Endpoint endpoint, std::string_view name) {
  const auto rows = parameters(endpoint);
  const auto row = std::ranges::find(rows, name, &Parameter::name);
  return row == rows.end() ? nullptr : &*row;
}

Result<> check_members(Endpoint endpoint, const json::object& body) {
  for (const auto& member : body) {
    const std::string_view name = member.key();
    const Parameter* row = find(endpoint, name);
    if (row) {
      if (!member.value().is_null()) PUNA_CHECK(check_member(*row, member.value()));
      continue;
    }
    std::vector<std::string_view> known;
    for (const auto& other : parameters(endpoint)) known.push_back(other.name);
    const auto near = nearest(name, std::span<const std::string_view>(known));
    return bad(printable(name), near.empty() ? "unknown parameter" : fmt::format("unknown parameter (did you mean '{}'?)", near.front()));
  }
  return {};
}

const json::value* present(const json::object& body, std::string_view name) {
  const json::value* found = body.if_contains(name);
  return found && !found->is_null() ? found : nullptr;
}

std::string_view text_member(const json::object& in, std::string_view name) {
  const json::value* found = in.if_contains(name);
  return found && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

// A URL would make the worker fetch on behalf of whoever asks; only inline data is taken.
Result<> check_content_part(const json::value& part, const std::string& path) {
  if (!part.is_object()) return bad(path, "expected an object");
  const auto type = text_member(part.get_object(), "type");
  if (type == "text") {
    const json::value* words = part.get_object().if_contains("text");
    return words && words->is_string() ? Result<>{} : bad(path + ".text", "expected a string");
  }
  if (type == "input_audio") return {};
  if (type != "image_url") return bad(path + ".type", fmt::format("'{}' is not one of text, image_url, input_audio", printable(type)));
  const json::value* image = part.get_object().if_contains("image_url");
  const auto url = image && image->is_object() ? text_member(image->get_object(), "url") : std::string_view();
  if (!url.starts_with("data:")) return bad(path + ".image_url.url", "only data: URLs are accepted; send the image inline");
  return {};
}

Result<> check_messages(const json::object& body) {
  const json::value* messages = present(body, "messages");
  if (!messages) return bad("messages", "required, but missing");
  if (messages->get_array().empty()) return bad("messages", "at least one message is needed");
  for (std::size_t i = 0; i < messages->get_array().size(); ++i) {
    const std::string path = fmt::format("messages[{}]", i);
    const json::value& message = messages->get_array()[i];
    if (!message.is_object()) return bad(path, "expected an object");
    const auto role = text_member(message.get_object(), "role");
    constexpr std::array<std::string_view, 5> kRoles = {"system", "developer", "user", "assistant", "tool"};
    if (std::ranges::find(kRoles, role) == kRoles.end())
      return bad(path + ".role", fmt::format("'{}' is not one of system, developer, user, assistant, tool", printable(role)));
    const json::value* content = present(message.get_object(), "content");
    if (!content) {
      if (role == "assistant" && present(message.get_object(), "tool_calls")) continue;
      return bad(path + ".content", "required, but missing");
    }
    if (content->is_string()) continue;
    if (!content->is_array()) return bad(path + ".content", "expected a string or an array of parts");
    for (std::size_t k = 0; k < content->get_array().size(); ++k)
      PUNA_CHECK(check_content_part(content->get_array()[k], fmt::format("{}.content[{}]", path, k)));
  }
  return {};
}

Result<> check_tools(const json::object& body) {
  const json::value* tools = present(body, "tools");
  for (std::size_t i = 0; tools && i < tools->get_array().size(); ++i) {
    const json::value& tool = tools->get_array()[i];
    const std::string path = fmt::format("tools[{}]", i);
    if (!tool.is_object() || text_member(tool.get_object(), "type") != "function")
      return bad(path + ".type", "only 'function' is supported");
    const json::value* function = tool.get_object().if_contains("function");
    if (!function || !function->is_object() || text_member(function->get_object(), "name").empty())
      return bad(path + ".function.name", "required, but missing");
  }
  const json::value* choice = present(body, "tool_choice");
  if (!choice) return {};
  if (choice->is_string()) {
    const std::string_view word = choice->get_string();
    if (word != "auto" && word != "none" && word != "required")
      return bad("tool_choice", fmt::format("'{}' is not one of auto, none, required", printable(word)));
    if (word == "required" && (!tools || tools->get_array().empty())) return bad("tool_choice", "'required' needs 'tools'");
  } else if (!choice->is_object()) {
    return bad("tool_choice", "expected a string or an object");
  }
  return {};
}

Result<> check_response_format(const json::object& body) {
  const json::value* format = present(body, "response_format");
  if (!format) return {};
  const auto type = text_member(format->get_object(), "type");
  if (type == "text" || type == "json_object") return {};
  if (type != "json_schema")
    return bad("response_format.type", fmt::format("'{}' is not one of text, json_object, json_schema", printable(type)));
  const json::value* wrapper = format->get_object().if_contains("json_schema");
  const json::value* schema = wrapper && wrapper->is_object() ? wrapper->get_object().if_contains("schema") : nullptr;
  if (!schema || !schema->is_object()) return bad("response_format.json_schema.schema", "expected an object");
  return {};
}

Result<> check_chat(const json::object& body) {
  PUNA_CHECK(check_messages(body));
  PUNA_CHECK(check_tools(body));
  PUNA_CHECK(check_response_format(body));
  const json::value* logprobs = present(body, "logprobs");
  if (present(body, "top_logprobs") && !(logprobs && logprobs->get_bool())) return bad("top_logprobs", "needs 'logprobs': true");
  if (const auto* store = present(body, "store"); store && store->get_bool())
    return fail(Code::unsupported, "store: completions are not stored here; leave it out or send false");
  if (const auto* modalities = present(body, "modalities"))
    for (const auto& item : modalities->get_array())
      if (item != json::value("text")) return fail(Code::unsupported, "modalities: this server answers in text");
  return {};
}

Result<> check_completions(const json::object& body) {
  const json::value* prompt = present(body, "prompt");
  if (!prompt) return bad("prompt", "required, but missing");
  if (!prompt->is_string() && !prompt->is_array()) return fail(json::detail::type_error("prompt", "a string or an array", *prompt));
  if (const auto* echo = present(body, "echo"); echo && echo->get_bool())
    return fail(Code::unsupported, "echo: not supported here; put the prompt before the answer yourself");
  return {};
}

Result<> check_embeddings(const json::object& body) {
  const json::value* input = present(body, "input");
  if (!input) return bad("input", "required, but missing");
  if (!input->is_string() && !input->is_array()) return fail(json::detail::type_error("input", "a string or an array", *input));
  if ((input->is_string() && input->get_string().empty()) || (input->is_array() && input->get_array().empty()))
    return bad("input", "there is nothing to embed");
  const auto* format = present(body, "encoding_format");
  if (format && format->get_string() != "float" && format->get_string() != "base64")
    return bad("encoding_format", "expected float or base64");
  return {};
}

Result<std::optional<std::string>> take_keep_alive(json::object& body) {
  const json::value* found = present(body, "keep_alive");
  if (!found) return std::nullopt;
  if (!found->is_string() && !found->is_number()) return fail(json::detail::type_error("keep_alive", "a duration such as \"5m\"", *found));
  return found->is_string() ? std::string(std::string_view(found->get_string())) : json::to_text(*found);
}

// Members that the engine must not see: null ones, which OpenAI's clients send for "not given", and our own.
bool drop_unwanted(json::object& body) {
  std::vector<std::string> unwanted;
  for (const auto& member : body)
    if (member.value().is_null() || member.key() == "keep_alive" || member.key() == "store" || member.key() == "modalities")
      unwanted.emplace_back(std::string_view(member.key()));
  for (const auto& name : unwanted) body.erase(name);
  return !unwanted.empty();
}

}  // namespace

std::span<const Parameter> parameters(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::chat:
      return kChat;
    case Endpoint::completions:
      return kCompletions;
    case Endpoint::embeddings:
      return kEmbeddings;
  }
  return {};
}

Result<Request> validate(Endpoint endpoint, std::string_view text) {
  if (!is_utf8(text)) return fail(Code::invalid_argument, "the request body is not UTF-8");
  PUNA_TRY(auto body, json::parse_object(text));
  PUNA_CHECK(check_members(endpoint, body));
  switch (endpoint) {
    case Endpoint::chat:
      PUNA_CHECK(check_chat(body));
      break;
    case Endpoint::completions:
      PUNA_CHECK(check_completions(body));
      break;
    case Endpoint::embeddings:
      PUNA_CHECK(check_embeddings(body));
      break;
  }
  Request request;
  request.model = text_member(body, "model");
  if (request.model.empty()) return bad("model", "required, but missing");
  const json::value* stream = present(body, "stream");
  request.stream = stream && stream->get_bool();
  const json::value* tools = present(body, "tools");
  const json::value* choice = present(body, "tool_choice");
  request.tools = tools && !tools->get_array().empty() && !(choice && choice->is_string() && choice->get_string() == "none");
  if (present(body, "stream_options") && !request.stream) return bad("stream_options", "needs 'stream': true");
  PUNA_TRY(request.keep_alive, take_keep_alive(body));
  request.rewritten = drop_unwanted(body);
  request.body = std::move(body);
  return request;
}

}  // namespace puna::api::openai
