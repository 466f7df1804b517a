// The certificate that the daemon made for itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace puna::wire {

struct CertificateRequest {
  std::optional<std::vector<std::string>> names;  // host names and addresses; default: this machine's
  std::optional<std::int64_t> days;               // 1 to 825; default: 365
  std::optional<bool> renew;                      // in the place of the one that is there
};
BOOST_DESCRIBE_STRUCT(CertificateRequest, (), (names, days, renew))

// Files are the daemon's machine's; times are RFC 3339; fingerprints are SHA-256, "AB:CD:…".
struct Certificate {
  std::vector<std::string> names;  // host names, then addresses
  std::string expires_at;
  std::string fingerprint;
  std::string file;       // certificate and key
  std::string authority;  // what clients need to trust it; holds no key
  std::string authority_expires_at;
  std::string authority_fingerprint;
  bool made = false;           // by this request
  bool new_authority = false;  // made too, so that clients need its file
  bool in_use = false;         // the settings server.tls_cert and server.tls_key name it
};
BOOST_DESCRIBE_STRUCT(Certificate, (),
                      (names, expires_at, fingerprint, file, authority, authority_expires_at, authority_fingerprint, made, new_authority,
                       in_use))

}  // namespace puna::wire
