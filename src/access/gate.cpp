#include "access/gate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "access/key_text.h"
#include "base/log.h"
#include "base/settings_registry.h"
#include "net/url.h"

namespace puna::access {
namespace {

constexpr int kFreeTries = 10;
constexpr Milliseconds kFirstWait{1000};
constexpr int kMostDoublings = 9;  // 8 minutes and a half
constexpr std::size_t kMostNetworks = 4096;

// Whoever has one address of a /64 has all of them.
std::string network_of(const std::string& address) {
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, address.c_str(), &parsed) != 1) return address;
  return fmt::format("{:02x}", fmt::join(std::span(parsed.s6_addr).first(8), ""));
}

Error key_needed(bool something_sent) {
  return {Code::unauthenticated,
          fmt::format("{}: send one as `Authorization: Bearer puna_...` or `x-api-key`; who runs this server makes it "
                      "with `puna key create`",
                      something_sent ? "what was sent is no API key of this server" : "an API key is needed here")};
}

}  // namespace

Result<Caller> Gate::identify(const net::Peer& peer, const net::Headers& headers) const {
  const auto key = presented_key(headers);
  if (key && looks_like_key(key->reveal())) return keys_.identify(key->reveal());
  if (peer.unix_socket) return caller_without_key(peer);
  const auto settings = settings_();
  const bool near = net::is_loopback_host(peer.address);
  const bool needed = settings->get(setting::kRequireKey) || (!near && (!settings->get(setting::kInsecure) || keys_.any_active()));
  if (needed) return fail(key_needed(key.has_value()));
  auto caller = caller_without_key(peer);
  if (!near) caller.scopes = {wire::Scope::inference, wire::Scope::read};
  return caller;
}

Result<Caller> Gate::admit(const net::Peer& peer, const net::Headers& headers) {
  const auto sent = presented_key(headers);
  if (peer.unix_socket || !sent) return identify(peer, headers);
  const auto network = network_of(peer.address);
  const auto known = tries_.find(network);
  if (known != tries_.end() && known->second.blocked_until > clock_.monotonic()) {
    Error error(Code::overloaded, "too many wrong API keys came from this address; wait, and send the right one");
    error.retry_after = std::chrono::ceil<Milliseconds>(known->second.blocked_until - clock_.monotonic());
    return fail(std::move(error));
  }
  auto caller = identify(peer, headers);
  if (!caller)
    count_failure(network, std::hash<std::string_view>{}(sent->reveal()));
  else if (caller->kind == CallerKind::key && known != tries_.end())
    tries_.erase(known);
  return caller;
}

void Gate::count_failure(const std::string& network, std::size_t wrong) {
  if (tries_.size() >= kMostNetworks && !tries_.contains(network))
    tries_.erase(std::ranges::min_element(tries_, {}, [](const auto& entry) { return entry.second.latest; }));
  auto& tries = tries_[network];
  tries.latest = clock_.monotonic();
  if (tries.failures > 0 && tries.last_wrong == wrong) return;
  tries.last_wrong = wrong;
  ++tries.failures;
  if (tries.failures < kFreeTries) return;
  const int doublings = std::min(tries.failures - kFreeTries, kMostDoublings);
  tries.blocked_until = tries.latest + kFirstWait * (1 << doublings);
  log::warning("access", "wrong API keys", {{"from", network}, {"tries", tries.failures}});
}

}  // namespace puna::access
