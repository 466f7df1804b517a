#include "api/openai/parameters.h"

#include <algorithm>
#include <array>

#include "api/openai/members.h"
#include "api/openai/tools.h"
#include "base/text.h"

namespace puna::api::openai {
namespace {

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
constexpr std::array<std::string_view, 5> kNotForTheEngine = {"keep_alive", "store", "modalities", "truncation", "adapters"};
bool drop_unwanted(json::object& body) {
  std::vector<std::string> unwanted;
  for (const auto& member : body)
    if (member.value().is_null() || std::ranges::find(kNotForTheEngine, std::string_view(member.key())) != kNotForTheEngine.end())
      unwanted.emplace_back(std::string_view(member.key()));
  for (const auto& name : unwanted) body.erase(name);
  return !unwanted.empty();
}

}  // namespace

Result<std::optional<wire::Overflow>> overflow_of(const json::object& body) {
  const json::value* found = present(body, "truncation");
  if (!found) return std::nullopt;
  const auto overflow = wire::overflow_from(found->get_string());
  if (!overflow)
    return bad("truncation", fmt::format("'{}' is not one of disabled, auto, shift, middle-out, summarise",
                                         printable(std::string_view(found->get_string()))));
  return overflow;
}

Result<Request> validate(Endpoint endpoint, std::string_view text, Unlisted unlisted) {
  if (!is_utf8(text)) return fail(Code::invalid_argument, "the request body is not UTF-8");
  PUNA_TRY(auto body, json::parse_object(text));
  return validate(endpoint, std::move(body), unlisted);
}

Result<Request> validate(Endpoint endpoint, json::object body, Unlisted unlisted) {
  ConformanceTable members = table(endpoint);
  members.unlisted = unlisted;
  PUNA_CHECK(check_members(members, body));
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
  PUNA_TRY(request.overflow, overflow_of(body));
  if (const auto* adapters = present(body, "adapters")) {
    PUNA_TRY(request.adapters, json::decode<std::vector<wire::AdapterUse>>(*adapters, json::Unknown::refuse, "adapters"));
  }
  request.rewritten = drop_unwanted(body);
  request.rewritten = narrow_tools(body) || request.rewritten;
  request.body = std::move(body);
  return request;
}

}  // namespace puna::api::openai
