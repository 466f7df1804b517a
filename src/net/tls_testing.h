// For tests: certificates made on the spot, and a client that speaks TLS byte by byte.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "net/http_server.h"

// OpenSSL's.
struct evp_pkey_st;
struct ssl_ctx_st;
struct ssl_st;
struct x509_st;

namespace puna::net::loopback {

// A key and a certificate that vouches for itself and for one host name.
class Identity {
 public:
  explicit Identity(const char* host);
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
  void save(const std::filesystem::path& certificate) const;
  // Both files of a server, the key with mode 0600.
  [[nodiscard]] TlsFiles save_in(const std::filesystem::path& folder) const;

  evp_pkey_st* key;
  x509_st* certificate;
};

// A blocking client that trusts everybody. Every read gives up after a while.
class TlsClient {
 public:
  explicit TlsClient(const Endpoint& endpoint, int newest_version = 0);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  TlsClient& send(std::string_view bytes);
  std::string read_until(std::string_view mark);
  std::string read_exactly(std::size_t count);
  std::string read_to_end();
  // The server said that its answer was over, rather than just being gone.
  [[nodiscard]] bool told_end() const;
  [[nodiscard]] std::string server_name() const;  // the certificate's common name

 private:
  bool receive();

  int socket_;
  ssl_ctx_st* context_;
  ssl_st* tls_;
  bool connected_ = false;
  std::string received_;
};

}  // namespace puna::net::loopback
