// The members of a request body in OpenAI's dialect: each one is honoured, known to be without effect here, or refused by name.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "api/openai/tables.h"
#include "base/json.h"
#include "wire/adapter.h"
#include "wire/overflow.h"

namespace puna::api::openai {

struct Request {
  json::object body;
  std::string model;
  bool stream = false;
  bool tools = false;                                     // offered, and not ruled out by tool_choice
  std::optional<std::string> keep_alive;                  // ours; not passed on
  std::optional<std::vector<wire::AdapterUse>> adapters;  // ours; not passed on
  std::optional<wire::Overflow> overflow;                 // ours; not passed on
  bool rewritten = false;                                 // the body differs from the bytes received and must be serialized anew
};

// Checks the whole body: names, kinds, bounds, and what OpenAI's documentation rules out across fields.
// The error names the member: "temperature: expected a number, got a string". Members that no table knows and that are not refused stay in
// the body, for an engine that may know them.
[[nodiscard]] Result<Request> validate(Endpoint endpoint, std::string_view body, Unlisted unlisted = Unlisted::refused);
[[nodiscard]] Result<Request> validate(Endpoint endpoint, json::object body, Unlisted unlisted = Unlisted::refused);

// The member `truncation`.
[[nodiscard]] Result<std::optional<wire::Overflow>> overflow_of(const json::object& body);

}  // namespace puna::api::openai
