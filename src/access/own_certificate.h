// The certificate that this machine shows to others when nobody brought one, and the small authority that vouches for it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "wire/certificate.h"

namespace puna::access {

// In a folder of its own, every file with mode 0600 and written in one step: server.pem (certificate and key, so that they always belong
// together), authority-key.pem (the authority with its key), authority.pem (for clients). Blocks.
class OwnCertificate {
 public:
  explicit OwnCertificate(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] std::filesystem::path file() const { return folder_ / "server.pem"; }
  // nullopt: none was made. Code::corrupt_data.
  [[nodiscard]] Result<std::optional<wire::Certificate>> show() const;
  // Makes one unless one is there; that one is shown. Code::already_exists when it is there and names or days are asked for, unless the
  // request says to renew it. A renewal keeps the authority, so that clients trust it already, unless that may not vouch for the names
  // or is near its end.
  [[nodiscard]] Result<wire::Certificate> make(const wire::CertificateRequest& request, const std::vector<std::string>& own_names,
                                               WallTime now) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace puna::access
