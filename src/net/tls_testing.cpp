#include "net/tls_testing.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

namespace puna::net::loopback {

Identity::Identity(const char* host) : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host), -1, -1,
                             0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_set_pubkey(certificate, key);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, (std::string("DNS:") + host).c_str());
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate, key, EVP_sha256());
}

Identity::~Identity() {
  X509_free(certificate);
  EVP_PKEY_free(key);
}

void Identity::save(const std::filesystem::path& path) const {
  FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
}

TlsFiles Identity::save_in(const std::filesystem::path& folder) const {
  const TlsFiles files{folder / "cert.pem", folder / "key.pem"};
  std::filesystem::create_directories(folder);
  save(files.certificate);
  FILE* file = std::fopen(files.key.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  ::chmod(files.key.c_str(), 0600);
  return files;
}

TlsClient::TlsClient(const Endpoint& endpoint, int newest_version)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), context_(SSL_CTX_new(TLS_client_method())), tls_(SSL_new(context_)) {
  std::signal(SIGPIPE, SIG_IGN);
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) ADD_FAILURE() << "no connection";
  if (newest_version != 0) {
    SSL_set_security_level(tls_, 0);  // OpenSSL itself would not try old versions any more
    SSL_set_max_proto_version(tls_, newest_version);
  }
  SSL_set_fd(tls_, socket_);
  connected_ = SSL_connect(tls_) == 1;
}

TlsClient::~TlsClient() {
  SSL_free(tls_);
  SSL_CTX_free(context_);
  ::close(socket_);
}

TlsClient& TlsClient::send(std::string_view bytes) {
  if (!bytes.empty()) SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));  // the server may close first; the answer tells
  return *this;
}

bool TlsClient::receive() {
  char piece[16384];
  const int got = SSL_read(tls_, piece, sizeof(piece));
  if (got > 0) received_.append(piece, static_cast<std::size_t>(got));
  return got > 0;
}

std::string TlsClient::read_until(std::string_view mark) {
  while (received_.find(mark) == std::string::npos)
    if (!receive()) return std::exchange(received_, {});
  return read_exactly(received_.find(mark) + mark.size());
}

std::string TlsClient::read_exactly(std::size_t count) {
  while (received_.size() < count && receive()) {
  }
  auto out = received_.substr(0, count);
  received_.erase(0, out.size());
  return out;
}

std::string TlsClient::read_to_end() {
  while (receive()) {
  }
  return std::exchange(received_, {});
}

bool TlsClient::told_end() const {
  return (SSL_get_shutdown(tls_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

std::string TlsClient::server_name() const {
  char name[256] = {};
  X509* certificate = SSL_get1_peer_certificate(tls_);
  if (certificate) X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
  X509_free(certificate);
  return name;
}

}  // namespace puna::net::loopback
