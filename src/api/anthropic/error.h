// Failures in Anthropic's shape.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace puna::api::anthropic {

// {"type":"error","error":{"type","message"},"request_id"}; the type goes by the status. https://docs.anthropic.com/en/api/errors
[[nodiscard]] json::object error_body(int status, const Error& error, std::string_view request_id);

}  // namespace puna::api::anthropic
