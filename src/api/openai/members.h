// Reading a request's members.
#pragma once

#include <string_view>

#include "base/json.h"

namespace puna::api::openai {

// Null when the member is absent or null.
[[nodiscard]] const json::value* present(const json::object& object, std::string_view name);
// Empty when it is absent or no string.
[[nodiscard]] std::string_view text_member(const json::object& object, std::string_view name);
// Code::invalid_argument "path: why".
[[nodiscard]] std::unexpected<Error> bad(std::string_view path, std::string_view why);

}  // namespace puna::api::openai
