#include "daemon/exposure.h"

#include <fmt/format.h>

#include "net/url.h"

namespace puna::daemon {
namespace {

std::string what_lacks(const Exposure& exposure) {
  if (exposure.tls) return "an API key (`puna key create NAME`)";
  if (exposure.key) return "a certificate (settings server.tls_cert and server.tls_key)";
  return "an API key (`puna key create NAME`) and a certificate (settings server.tls_cert and server.tls_key)";
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
  constexpr auto kWarn = std::chrono::days(14);
  if (certificate_expires - now > kWarn) return std::nullopt;
  return fmt::format("server.tls_cert: the certificate {} {}; put a new one in its place and send SIGHUP",
                     certificate_expires <= now ? "expired at" : "expires at", format_time(certificate_expires));
}

}  // namespace puna::daemon
