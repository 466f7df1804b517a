// The one shape in which the native API reports failure. (OpenAI's routes answer in OpenAI's shape.)
#pragma once

#include <optional>
#include <string>

#include "base/json.h"

namespace puna::wire {

struct ErrorDetail {
  std::string code;     // a name from base/error.h, such as "not_found"
  std::string message;  // names the thing and the way out
  std::optional<std::int64_t> retry_after_ms;
  std::optional<std::string> request_id;
};
BOOST_DESCRIBE_STRUCT(ErrorDetail, (), (code, message, retry_after_ms, request_id))

struct ErrorBody {
  ErrorDetail error;
};
BOOST_DESCRIBE_STRUCT(ErrorBody, (), (error))

[[nodiscard]] ErrorBody to_wire(const Error& error, std::optional<std::string> request_id = std::nullopt);
// The error that a body describes; for a body in another shape, one that quotes the status.
[[nodiscard]] Error from_wire(int http_status, std::string_view body);

}  // namespace puna::wire
