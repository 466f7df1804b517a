// Which messages of a conversation that is too long may be left out, and in which order.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/overflow.h"

namespace puna::api {

// Messages that stand or fall together, by index: a turn (from a user's message to the next one), or within the last turn a step (an
// assistant's message with the results of its tool calls).
using MessageGroup = std::vector<std::size_t>;

// The groups of OpenAI's `messages` in the order in which the strategy leaves them out. Never among them: system and developer messages,
// the last turn's question, and its last step; for middle_out the first turn.
[[nodiscard]] std::vector<MessageGroup> droppable(const json::array& messages, wire::Overflow strategy);

// What is left, in its order.
[[nodiscard]] json::array without(const json::array& messages, std::span<const MessageGroup> dropped);
// What was left out, as a text for whoever sums it up: "user: …", one paragraph a message.
[[nodiscard]] std::string transcript(const json::array& messages, std::span<const MessageGroup> dropped);
[[nodiscard]] std::size_t count_messages(std::span<const MessageGroup> groups);

}  // namespace puna::api
