// What hosts say about how often they may be asked, kept by the whole process.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/units.h"
#include "net/http_types.h"

namespace puna::hub::transfer {

// Thread-safe. Hosts are named by their authority, "host:port".
class RateGate {
 public:
  // How long to wait before the next request to this host. Zero means now, and counts the request.
  [[nodiscard]] Milliseconds enter(const std::string& host, MonotonicTime now);
  // How long the gate stays closed, without wanting to enter.
  [[nodiscard]] Milliseconds closed_for(const std::string& host, MonotonicTime now) const;
  // Any answer: "RateLimit: "api";r=0;t=55" (remaining, seconds to the reset), or the older RateLimit-Remaining and RateLimit-Reset.
  // Few remaining requests are spread over the time that is left.
  void learn(const std::string& host, const net::Headers& headers, MonotonicTime now);
  // A 429 or 503. Obeys Retry-After (seconds or a date), else the RateLimit's reset, else waits `otherwise`; returns the wait.
  Milliseconds refused(const std::string& host, const net::Headers& headers, Milliseconds otherwise, MonotonicTime now, WallTime wall);

 private:
  struct Host {
    MonotonicTime closed_until{};
    Milliseconds spacing{0};  // between requests, until `spacing_until`
    MonotonicTime spacing_until{};
  };
  mutable std::mutex mutex_;
  std::map<std::string, Host> hosts_;  // guarded by mutex_
};

struct RateLimit {
  std::int64_t remaining = 0;
  Seconds reset{0};
  bool operator==(const RateLimit&) const = default;
};
[[nodiscard]] std::optional<RateLimit> parse_rate_limit(const net::Headers& headers);

}  // namespace puna::hub::transfer
