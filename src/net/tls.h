// What a server shows to clients that come over TLS.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace boost::asio::ssl {
class context;
}

namespace puna::net {

struct TlsFiles {
  std::filesystem::path certificate;  // PEM: the server's own first, then those that vouch for it
  std::filesystem::path key;          // PEM, not encrypted
};

// A certificate with its key, ready for use: TLS 1.2 or newer.
class TlsIdentity {
 public:
  // Code::permission_denied when others than the owner and the group may read the key, or the group may write it; Code::corrupt_data when
  // the files are not what they should be or do not belong together.
  [[nodiscard]] static Result<std::shared_ptr<TlsIdentity>> load(const TlsFiles& files);
  ~TlsIdentity();

  [[nodiscard]] WallTime expires() const { return expires_; }
  // Whether clients that go to this host name or address take it.
  [[nodiscard]] bool fits(const std::string& host) const;
  [[nodiscard]] boost::asio::ssl::context& context() { return *context_; }

 private:
  TlsIdentity();
  std::unique_ptr<boost::asio::ssl::context> context_;
  WallTime expires_;
};

}  // namespace puna::net
