// Telling systemd about ourselves (sd_notify's protocol).
#pragma once

#include <string_view>

#include "base/error.h"

namespace puna::os {

// Sends lines such as "READY=1" or "STOPPING=1" to $NOTIFY_SOCKET, a path or an abstract "@name"; does nothing when it is not set. Never
// waits. Worth a warning in the log when it fails, and nothing more.
[[nodiscard]] Result<> notify_systemd(std::string_view state);

}  // namespace puna::os
