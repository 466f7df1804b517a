// A request of the Responses API, as the chat completion that answers it.
// https://platform.openai.com/docs/api-reference/responses/create
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace puna::api::openai::responses {

struct Request {
  json::object chat;  // the chat's body, without its messages
  std::optional<std::string> instructions;
  json::array input;                    // items, each with its id and type
  std::optional<std::string> previous;  // the id of the response that this one goes on from
  json::object echo;                    // what the answer repeats of the request
  bool store = true;
};

// Checks every member. The error names it: "tools[1].type: …".
[[nodiscard]] Result<Request> read_request(std::string_view body);

}  // namespace puna::api::openai::responses
