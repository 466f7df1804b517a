// Failures in the shape that a route's clients expect.
#pragma once

#include <optional>
#include <string_view>

#include "api/spec.h"
#include "base/error.h"
#include "net/http_server.h"

namespace puna::api {

// Which dialect a request speaks, whether or not its path exists. The path decides; where two dialects share one, Anthropic's clients are
// known by their header.
[[nodiscard]] Dialect dialect_of(const net::ServerRequest& request);

// Status, headers (Retry-After) and body.
[[nodiscard]] net::Response error_response(Dialect dialect, const Error& error, std::string_view request_id);
[[nodiscard]] net::Response error_response(Dialect dialect, int status, const Error& error, std::string_view request_id);

// OpenAI's error object: {"error":{"message","type","param","code"}}. The parameter is the name before the first ": " of the message
// when that looks like a member path.
// https://platform.openai.com/docs/guides/error-codes
[[nodiscard]] json::object openai_error(const Error& error);

// A prompt that is longer than the model's context, in tokens; told to clients as context_length_exceeded. `least`: what would be left
// if everything were left out that may be.
[[nodiscard]] Error context_exceeded(std::int64_t prompt, std::int64_t context, std::optional<std::int64_t> least = std::nullopt);
[[nodiscard]] bool is_context_exceeded(const Error& error);

// The Error in a worker's answer, which has OpenAI's shape; an over-long prompt stays context_length_exceeded, with its counts.
[[nodiscard]] Error engine_error(int status, std::string_view body);

}  // namespace puna::api
