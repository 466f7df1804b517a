// Whether a profile's settings make sense.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "wire/profile.h"

namespace puna::profile {

// Letters, digits and . _ -, at most 64 of them, beginning with a letter or digit.
[[nodiscard]] Result<> check_name(std::string_view name);

// Code::invalid_argument names every member that is wrong, with what it takes or the names it may have meant, and what cannot stand
// together. Members that are null are absent.
[[nodiscard]] Result<wire::ProfileSettings> check_settings(const json::object& settings);

// `change` laid over `settings`: null takes a member away; of "parameters" and "environment" each name is a member of its own.
[[nodiscard]] json::object merge_settings(json::object settings, const json::object& change);

}  // namespace puna::profile
