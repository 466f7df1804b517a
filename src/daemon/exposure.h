// When the daemon may listen where other machines can reach it.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace puna::daemon {

struct Exposure {
  std::string host;  // server.host
  bool tls = false;
  bool key = false;  // an active API key exists
  bool insecure = false;
};

// Loopback always; elsewhere with TLS and a key, or when server.insecure says so. Code::permission_denied says what to do.
[[nodiscard]] Result<> judge(const Exposure& exposure);
// What is open that should not be, for status, log and doctor.
[[nodiscard]] std::optional<std::string> warning_of(const Exposure& exposure);

// From two weeks before the end on.
[[nodiscard]] std::optional<std::string> expiry_warning(WallTime certificate_expires, WallTime now);

}  // namespace puna::daemon
