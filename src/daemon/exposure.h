// When the daemon may listen where other machines can reach it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

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

// From 30 days before the end on.
[[nodiscard]] std::optional<std::string> expiry_warning(WallTime certificate_expires, WallTime now);

// Under which names clients reach a server that listens at `host`: those of this machine (loopback's aside, unless that is all that is
// served), and those that it is allowed to have.
[[nodiscard]] std::vector<std::string> reached_as(const std::string& host, const std::vector<std::string>& network_names,
                                                  const std::vector<std::string>& allowed_hosts);
// When a certificate is for none of them.
[[nodiscard]] std::optional<std::string> name_warning(const std::vector<std::string>& reached_as,
                                                      const std::function<bool(const std::string&)>& fits);

}  // namespace puna::daemon
