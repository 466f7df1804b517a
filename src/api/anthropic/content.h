// Anthropic's conversations as OpenAI's messages.
#pragma once

#include "base/json.h"

namespace puna::api::anthropic {

// `system` and `messages` of a checked body. Blocks of a kind that cannot be honoured are refused by their path
// ("messages[2].content[0].source.type: …"). Results of tools go before the other words of their message, as OpenAI's order has it;
// messages of the user that follow one another become one.
[[nodiscard]] Result<json::array> to_messages(const json::object& body);

}  // namespace puna::api::anthropic
