// X.509 certificates that a machine makes for itself: an authority of its own, and certificates of a server that it vouches for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

namespace puna::net {

// A certificate and its ECDSA P-256 key, both PEM.
struct CertifiedKey {
  std::string certificate;
  Secret key;
};

struct CertificateFacts {
  std::vector<std::string> names;  // the subject's alternative names: host names, then addresses
  WallTime expires;
  std::string fingerprint;  // SHA-256 of the whole, "AB:CD:…"
};

// The host name in lower case, or the address in its usual form. Code::invalid_argument for what is neither.
[[nodiscard]] Result<std::string> certificate_name(std::string_view text);

// An authority that clients can trust without danger: it may vouch for servers of these names and of private addresses, and for nothing
// else (RFC 5280, section 4.2.1.10), so that even its key lets nobody pass for another site.
[[nodiscard]] Result<CertifiedKey> make_authority(const std::vector<std::string>& names, std::chrono::days valid, WallTime now);

// A server's certificate. Code::conflict when the authority may not vouch for one of the names, or ends before the certificate would.
[[nodiscard]] Result<CertifiedKey> issue_certificate(const CertifiedKey& authority, const std::vector<std::string>& names,
                                                     std::chrono::days valid, WallTime now);

// Of the first certificate in a PEM text; Code::corrupt_data when there is none.
[[nodiscard]] Result<CertificateFacts> read_certificate(std::string_view pem);

}  // namespace puna::net
