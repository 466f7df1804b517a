// A profile's settings as they are typed, and as they are shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "wire/profile.h"

namespace puna::cli {

// From "context=8192", "parameters.temperature=0.2", "environment.NAME=text", "command=[\"/usr/bin/x\", \"--port\", \"{port}\"]"; nothing
// behind the sign takes the setting away. Whether a setting exists and takes the value is for the daemon to say.
[[nodiscard]] Result<json::object> read_assignments(const std::vector<std::string>& words);

// The value of a setting as it would be typed.
[[nodiscard]] std::string typed_value(const json::value& value);

// "builtin m:latest", "command llama-server", "remote https://host/v1".
[[nodiscard]] std::string what_is_served(const wire::ProfileSettings& settings);

}  // namespace puna::cli
