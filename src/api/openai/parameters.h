// The members of a request body in OpenAI's dialect: each one is honoured, known to be without effect here, or refused by name.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "base/json.h"

namespace puna::api::openai {

enum class Endpoint { chat, completions, embeddings };
BOOST_DESCRIBE_ENUM(Endpoint, chat, completions, embeddings)

enum class Treatment {
  honoured,  // reaches the engine and does what its documentation says
  noted,     // accepted: it asks for nothing that this server could do differently
  refused,   // an answer that looked as if it had been honoured would be a lie
};
BOOST_DESCRIBE_ENUM(Treatment, honoured, noted, refused)

enum class Kind { boolean, integer, number, text, list, object, any, text_or_list, token_map };
BOOST_DESCRIBE_ENUM(Kind, boolean, integer, number, text, list, object, any, text_or_list, token_map)

struct Parameter {
  std::string_view name;
  Kind kind;
  Treatment treatment = Treatment::honoured;
  double min = -9e15;
  double max = 9e15;
  std::string_view advice = {};  // for refused ones: the way out
  bool ours = false;             // an extension beyond OpenAI's own API
};

// Every row of an endpoint; the reference documentation is printed from it.
[[nodiscard]] std::span<const Parameter> parameters(Endpoint endpoint);

struct Request {
  json::object body;
  std::string model;
  bool stream = false;
  bool tools = false;                     // offered, and not ruled out by tool_choice
  std::optional<std::string> keep_alive;  // ours; not passed on
  bool rewritten = false;                 // the body differs from the bytes received and must be serialized anew
};

// Checks the whole body: names, kinds, bounds, and what OpenAI's documentation rules out across fields.
// The error names the member: "temperature: expected a number, got a string".
[[nodiscard]] Result<Request> validate(Endpoint endpoint, std::string_view body);

}  // namespace puna::api::openai
