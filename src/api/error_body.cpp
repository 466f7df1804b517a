#include "api/error_body.h"

#include <algorithm>

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
  if (!error.context.empty() && error.context.front() == kContextExceeded) return kContextExceeded;
  return error.code == Code::not_found ? std::string_view("model_not_found") : to_string(error.code);
}

}  // namespace

Dialect dialect_of(std::string_view path) {
  return path.starts_with("/v1/") ? Dialect::openai : Dialect::native;
}

json::object openai_error(const Error& error) {
  return {{"error", json::object{{"message", error.message},
                                 {"type", traits(error.code).openai_type},
                                 {"param", parameter_of(error)},
                                 {"code", openai_code(error)}}}};
}

net::Response error_response(Dialect dialect, int status, const Error& error, std::string_view request_id) {
  auto response = dialect == Dialect::openai ? net::json_response(status, openai_error(error))
                                             : net::json_response(status, json::encode(wire::to_wire(error, std::string(request_id))));
  if (error.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
    response.headers.set("Retry-After", std::to_string(seconds));
  }
  return response;
}

net::Response error_response(Dialect dialect, const Error& error, std::string_view request_id) {
  return error_response(dialect, traits(error.code).http_status, error, request_id);
}

Error engine_error(int status, std::string_view body) {
  Error error = wire::from_wire(status, body);
  const auto parsed = json::parse_object(body);
  const json::value* detail = parsed ? parsed->if_contains("error") : nullptr;
  const json::value* code = detail && detail->is_object() ? detail->get_object().if_contains("code") : nullptr;
  if (code && code->is_string() && code->get_string() == kContextExceeded)
    error.context.insert(error.context.begin(), std::string(kContextExceeded));
  return error;
}

}  // namespace puna::api
