// What Anthropic's endpoints take here: https://docs.anthropic.com/en/api/messages
#pragma once

#include "api/conformance.h"

namespace puna::api::anthropic {

enum class Endpoint { messages, count_tokens };

// The members of the body of an endpoint.
[[nodiscard]] const ConformanceTable& table(Endpoint endpoint);
// The objects inside of both.
[[nodiscard]] const ConformanceTable& thinking_table();
[[nodiscard]] const ConformanceTable& output_config_table();
[[nodiscard]] const ConformanceTable& tool_choice_table();
[[nodiscard]] const ConformanceTable& tool_table();

// Every endpoint, and the objects inside their bodies.
[[nodiscard]] std::span<const ConformanceTable> tables();

}  // namespace puna::api::anthropic
