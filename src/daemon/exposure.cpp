#include "daemon/exposure.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/url.h"

namespace puna::daemon {
namespace {

std::string what_lacks(const Exposure& exposure) {
  if (exposure.tls) return "an API key (`puna key create NAME`)";
  if (exposure.key) return "a certificate (`puna key tls` makes one, or settings server.tls_cert and server.tls_key)";
  return "an API key (`puna key create NAME`) and a certificate (`puna key tls` makes one, or settings server.tls_cert and server.tls_key)";
}

}  // namespace

Result<> judge(const Exposure& exposure) {
  if (net::is_loopback_host(exposure.host) || exposure.insecure || (exposure.tls && exposure.key)) return {};
  return fail(Code::permission_denied,
              fmt::format("server.host is {}, which other machines can reach: that needs {}; docs/access.md tells how, and `puna serve "
                          "--insecure` is for networks that you trust",
                          exposure.host, what_lacks(exposure)));
}

std::optional<std::string> warning_of(const Exposure& exposure) {
  if (net::is_loopback_host(exposure.host) || (exposure.tls && exposure.key)) return std::nullopt;
  if (exposure.tls)
    return fmt::format("server.insecure: {} can be reached by other machines, which need no API key to use the models", exposure.host);
  if (exposure.key)
    return fmt::format("server.insecure: {} can be reached by other machines; API keys and chats cross the network unencrypted",
                       exposure.host);
  return fmt::format("server.insecure: {} can be reached by other machines, which need no API key to use the models; nothing is encrypted",
                     exposure.host);
}

std::optional<std::string> expiry_warning(WallTime certificate_expires, WallTime now) {
  constexpr auto kWarn = std::chrono::days(30);
  if (certificate_expires - now > kWarn) return std::nullopt;
  return fmt::format(
      "server.tls_cert: the certificate {} {}; put a new one in its place and send SIGHUP, or run `puna key tls --renew` where Puna made "
      "it",
      certificate_expires <= now ? "expired at" : "expires at", format_time(certificate_expires));
}

std::vector<std::string> reached_as(const std::string& host, const std::vector<std::string>& network_names,
                                    const std::vector<std::string>& allowed_hosts) {
  const bool loopback = net::is_loopback_host(host);
  std::vector<std::string> out = allowed_hosts;
  for (const auto& name : network_names)
    if (net::is_loopback_host(name) == loopback) out.push_back(name);
  return out;
}

std::optional<std::string> name_warning(const std::vector<std::string>& reached_as, const std::function<bool(const std::string&)>& fits) {
  if (reached_as.empty() || std::ranges::any_of(reached_as, fits)) return std::nullopt;
  return fmt::format(
      "server.tls_cert: the certificate is for none of the names under which this daemon is reached ({}): clients will not "
      "trust it; `puna key tls --renew` makes another where Puna made it",
      join(reached_as, ", "));
}

}  // namespace puna::daemon
