// Points in time in people's words.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace puna::cli {

// From the API's RFC 3339 text: "3 weeks ago", "just now"; the text itself when it is no time.
[[nodiscard]] std::string time_ago(std::string_view time, WallTime now);
// "4 minutes from now".
[[nodiscard]] std::string time_ahead(std::string_view time, WallTime now);

}  // namespace puna::cli
