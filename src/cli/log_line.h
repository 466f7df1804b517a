// The daemon's structured log lines, for people.
#pragma once

#include <string>
#include <string_view>

#include "cli/screen/console.h"

namespace puna::cli {

// {"time":…,"level":"info","component":"fleet","message":"worker ready","model":"m"} becomes
// "2026-01-31 12:00:00  info     fleet     worker ready  model=m", the time in the local zone. Other lines stay as they are.
[[nodiscard]] std::string readable_log_line(std::string_view line, const Stream& stream);

}  // namespace puna::cli
