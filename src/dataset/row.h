// The one form of a row, whatever shape it came in.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "wire/dataset.h"

namespace puna::dataset {

using Row = wire::DatasetRow;
using Message = wire::DatasetMessage;
using Role = wire::DatasetRole;

// As OpenAI's API has it, which is what chat templates are given: role, content, reasoning_content, tool_calls, tool_call_id, name.
[[nodiscard]] json::object openai_message(const Message& message);
[[nodiscard]] json::array openai_messages(const std::vector<Message>& messages);

// Every text of the row with its place in it: "messages[1].content", "chosen[0].content", "text".
void for_each_text(const Row& row, const std::function<void(const std::string& field, std::string_view text)>& visit);

[[nodiscard]] std::size_t characters_of(const Row& row);  // code points of all texts
[[nodiscard]] std::size_t messages_of(const Row& row);

// XXH3 of what would be trained; equal for rows that differ in nothing but their place.
[[nodiscard]] std::uint64_t row_hash(const Row& row);
// Of what comes before the last answer; of the whole row, when nothing does.
[[nodiscard]] std::uint64_t prompt_hash(const Row& row);

}  // namespace puna::dataset
