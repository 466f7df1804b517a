// Making a conversation fit into a model's context, as the request or the settings asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/json.h"
#include "net/io.h"
#include "wire/overflow.h"

namespace puna::api {

// What is asked of the model's worker.
struct ContextTools {
  // Tokens of the prompt that a body of /v1/chat/completions makes, by the model's own template and tokenizer.
  std::function<net::Task<Result<std::int64_t>>(const json::object& body)> count;
  // The text of the answer.
  std::function<net::Task<Result<std::string>>(json::object body)> answer;
};

struct Fitted {
  json::object body;
  wire::Dropped dropped;
};

// The body with as few messages left out as the strategy allows, so that the prompt and room for the answer (max_tokens of the body, or a
// quarter of the context; at most half of it) are within `context` tokens. Code::invalid_argument with the counts, told as
// context_length_exceeded, when even the least that must stay is too long.
[[nodiscard]] net::Task<Result<Fitted>> fit_into_context(json::object body, wire::Overflow strategy, std::int64_t context,
                                                         const ContextTools& tools);

}  // namespace puna::api
