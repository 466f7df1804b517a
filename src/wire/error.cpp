#include "wire/error.h"

#include "base/text.h"

namespace puna::wire {

ErrorBody to_wire(const Error& error, std::optional<std::string> request_id) {
  ErrorBody body;
  body.error.code = to_string(error.code);
  body.error.message = error.text();
  if (error.retry_after) body.error.retry_after_ms = error.retry_after->count();
  body.error.request_id = std::move(request_id);
  return body;
}

Error from_wire(int http_status, std::string_view body) {
  const auto object = json::parse_object(body);
  const json::value* detail = object ? object->if_contains("error") : nullptr;
  if (!detail || !detail->is_object()) {
    constexpr std::size_t kQuoted = 200;
    return {code_from_http_status(http_status), fmt::format("HTTP status {}: {}", http_status, printable(trim(body.substr(0, kQuoted))))};
  }
  const auto text_of = [&](std::string_view name) {
    const json::value* field = detail->get_object().if_contains(name);
    return field && field->is_string() ? std::string(std::string_view(field->get_string())) : std::string();
  };
  Error error{code_from_name(text_of("code")).value_or(code_from_http_status(http_status)), text_of("message")};
  const json::value* retry = detail->get_object().if_contains("retry_after_ms");
  if (retry && retry->is_int64()) error.retry_after = std::chrono::milliseconds(retry->get_int64());
  return error;
}

}  // namespace puna::wire
