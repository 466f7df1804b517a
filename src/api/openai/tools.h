// Tools in a chat request.
#pragma once

#include "base/json.h"

namespace puna::api::openai {

// `tools` and `tool_choice` of a chat's body: only functions, and a choice among them.
[[nodiscard]] Result<> check_tools(const json::object& body);

// A choice that names tools becomes one that the engine knows: it is offered these alone, and with one function named must call it.
// Whether anything changed. For a body that was checked.
bool narrow_tools(json::object& body);

}  // namespace puna::api::openai
