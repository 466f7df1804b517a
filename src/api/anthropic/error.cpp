#include "api/anthropic/error.h"

#include "api/error_body.h"

namespace puna::api::anthropic {
namespace {

std::string_view type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

}  // namespace

json::object error_body(int status, const Error& error, std::string_view request_id) {
  // Clients that shorten a conversation by themselves look for these words.
  const std::string message = is_context_exceeded(error) ? "prompt is too long: " + error.message : error.message;
  return {{"type", "error"}, {"error", json::object{{"type", type_of(status)}, {"message", message}}}, {"request_id", request_id}};
}

}  // namespace puna::api::anthropic
