#include "api/error_body.h"

#include <algorithm>

#include "api/anthropic/error.h"
#include "base/text.h"
#include "wire/error.h"

namespace puna::api {
namespace {

constexpr std::string_view kContextExceeded = "context_length_exceeded";

bool is_member_path(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '[' || c == ']';
  });
}

json::value parameter_of(const Error& error) {
  const auto colon = error.message.find(": ");
  if (error.code != Code::invalid_argument && error.code != Code::unsupported) return nullptr;
  if (colon == std::string::npos || !is_member_path(std::string_view(error.message).substr(0, colon))) return nullptr;
  return json::value(std::string_view(error.message).substr(0, colon));
}

std::string_view openai_code(const Error& error) {
  if (is_context_exceeded(error)) return kContextExceeded;
  if (error.code == Code::unauthenticated) return "invalid_api_key";
  for (const std::string_view limit : {"rate_limit_exceeded", "insufficient_quota"})
    if (!error.context.empty() && error.context.front() == limit) return limit;
  return error.code == Code::not_found ? std::string_view("model_not_found") : to_string(error.code);
}

json::value error_object(Dialect dialect, int status, const Error& error, std::string_view request_id) {
  switch (dialect) {
    case Dialect::native:
      return json::encode(wire::to_wire(error, std::string(request_id)));
    case Dialect::openai:
      return openai_error(error);
    case Dialect::anthropic:
      return anthropic::error_body(status, error, request_id);
    case Dialect::ollama:
      return json::object{{"error", error.message}};
  }
  return {};
}

}  // namespace

Dialect dialect_of(const net::ServerRequest& request) {
  const std::string_view path = request.path;
  if (path == "/v1/messages" || path.starts_with("/v1/messages/")) return Dialect::anthropic;
  if (path.starts_with("/v1/models") && request.headers.contains("anthropic-version")) return Dialect::anthropic;
  if (path.starts_with("/v1/") || path == "/v2/rerank" || path == "/rerank") return Dialect::openai;
  if (path.starts_with("/api/") && !path.starts_with("/api/v1/")) return Dialect::ollama;
  return Dialect::native;
}

json::object openai_error(const Error& error) {
  return {{"error", json::object{{"message", error.message},
                                 {"type", traits(error.code).openai_type},
                                 {"param", parameter_of(error)},
                                 {"code", openai_code(error)}}}};
}

net::Response error_response(Dialect dialect, int status, const Error& error, std::string_view request_id) {
  auto response = net::json_response(status, error_object(dialect, status, error, request_id));
  if (error.code == Code::unauthenticated) response.headers.set("WWW-Authenticate", "Bearer realm=\"puna\"");
  if (error.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
    response.headers.set("Retry-After", std::to_string(seconds));
  }
  return response;
}

net::Response error_response(Dialect dialect, const Error& error, std::string_view request_id) {
  return error_response(dialect, traits(error.code).http_status, error, request_id);
}

Error context_exceeded(std::int64_t prompt, std::int64_t context, std::optional<std::int64_t> least) {
  Error error(Code::invalid_argument, fmt::format("the prompt has {} tokens, the context of the model {}: ", prompt, context));
  error.message += least ? fmt::format("with everything left out that may be it still has {}; shorten it, or raise models.context", *least)
                         : "shorten it, raise models.context, or let the oldest turns be left out with \"truncation\": \"shift\"";
  error.context.emplace_back(kContextExceeded);
  return error;
}

bool is_context_exceeded(const Error& error) {
  return !error.context.empty() && error.context.front() == kContextExceeded;
}

Error engine_error(int status, std::string_view body) {
  Error error = wire::from_wire(status, body);
  const auto parsed = json::parse_object(body);
  const json::value* detail = parsed ? parsed->if_contains("error") : nullptr;
  const json::value* code = detail && detail->is_object() ? detail->get_object().if_contains("code") : nullptr;
  if (code == nullptr || !code->is_string() || code->get_string() != kContextExceeded) return error;
  const auto count = [&](std::string_view name) -> std::optional<std::int64_t> {
    const json::value* found = detail->get_object().if_contains(name);
    return found && found->is_int64() ? std::optional(found->get_int64()) : std::nullopt;
  };
  const auto prompt = count("n_prompt_tokens");
  const auto context = count("n_ctx");
  if (prompt && context) return context_exceeded(*prompt, *context);
  error.context.insert(error.context.begin(), std::string(kContextExceeded));
  return error;
}

}  // namespace puna::api
