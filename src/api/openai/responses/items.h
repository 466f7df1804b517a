// The items of which requests and answers of the Responses API are made: messages, reasoning, calls of functions and what they gave.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace puna::api::openai::responses {

// "msg_…", "rs_…", "fc_…", "resp_…".
[[nodiscard]] std::string new_id(std::string_view prefix);

// The member `input` as items, each with its id and type; a text is one message of the user. The error names the place:
// "input[2].content[0].image_url: …".
[[nodiscard]] Result<json::array> read_items(const json::value& input);

// A chat's messages from items that read_items() or an answer made. What an assistant reasoned, said and called in one turn is one message.
[[nodiscard]] json::array messages_of(const std::optional<std::string>& instructions, const json::array& items);

}  // namespace puna::api::openai::responses
