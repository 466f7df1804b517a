// Who may come in: keys, the rule where one is needed, and a brake on guessing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access/caller.h"
#include "access/keys.h"
#include "base/clock.h"
#include "base/settings.h"

namespace puna::access {

// The rule: a key of ours that is wrong is refused everywhere. Without a key come the user of the Unix socket (admin), loopback addresses
// unless access.require_key (admin), and, while server.insecure and no key exists, other addresses (inference, read). Credentials that are
// no key of ours ("none", "ollama": some clients must send something) count as no key. Network thread.
class Gate {
 public:
  using SettingsSource = std::function<std::shared_ptr<const Settings>()>;
  Gate(const Keys& keys, SettingsSource settings, const Clock& clock) : keys_(keys), settings_(std::move(settings)), clock_(clock) {}

  // Code::unauthenticated. After several different wrong keys in a row an address (of IPv6: its /64) waits, each time twice as long:
  // Code::overloaded with retry_after, whatever it sends as a key.
  [[nodiscard]] Result<Caller> admit(const net::Peer& peer, const net::Headers& headers);
  // The same for a request that was admitted; counts nothing.
  [[nodiscard]] Result<Caller> identify(const net::Peer& peer, const net::Headers& headers) const;

 private:
  struct Tries {
    int failures = 0;
    std::size_t last_wrong = 0;  // a hash: a client that repeats one stale key does not guess
    MonotonicTime latest;
    MonotonicTime blocked_until;
  };
  void count_failure(const std::string& network, std::size_t wrong);

  const Keys& keys_;
  SettingsSource settings_;
  const Clock& clock_;
  std::map<std::string, Tries> tries_;  // bounded
};

}  // namespace puna::access
