// Lists as OpenAI gives them, a page at a time.
#pragma once

#include "api/call.h"
#include "api/spec.h"

namespace puna::api::openai {

// after, limit (1 to 100, default 20), order (asc, desc; default desc).
[[nodiscard]] std::vector<QueryParameter> page_parameters();

// The page of `all`, which is in ascending order, that the query asks for. Items have ids. Code::invalid_argument names the parameter;
// an `after` that is not in the list is Code::not_found.
[[nodiscard]] Result<json::object> page_of(const Call& call, const json::array& all);

}  // namespace puna::api::openai
