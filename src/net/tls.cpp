#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ssl/context.hpp>
#include <ctime>

namespace puna::net {
namespace {

namespace ssl = boost::asio::ssl;

// A key that encrypts asks for a passphrase, which a daemon cannot be given; OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

Result<> check_mode(const std::filesystem::path& key) {
  struct stat status{};
  if (::stat(key.c_str(), &status) != 0) return fail(errno_error(errno, "cannot read the TLS key " + key.string()));
  constexpr mode_t kTooOpen = S_IWGRP | S_IRWXO;
  if ((status.st_mode & kTooOpen) == 0) return {};
  return fail(Code::permission_denied, fmt::format("the TLS key {} has mode {:04o}, with which others can take it: `chmod 600 {}`",
                                                   key.string(), status.st_mode & 07777U, key.string()));
}

Error not_usable(std::string_view what, const std::filesystem::path& file) {
  ERR_clear_error();
  if (::access(file.c_str(), R_OK) != 0) return errno_error(errno, fmt::format("cannot read {} {}", what, file.string()));
  return {Code::corrupt_data, fmt::format("{} {} cannot be used: it is not PEM, or encrypted", what, file.string())};
}

WallTime expiry_of(SSL_CTX* context) {
  std::tm time{};
  const X509* certificate = SSL_CTX_get0_certificate(context);
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&time));
}

}  // namespace

TlsIdentity::TlsIdentity() : context_(std::make_unique<ssl::context>(ssl::context::tls_server)) {}
TlsIdentity::~TlsIdentity() = default;

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::load(const TlsFiles& files) {
  PUNA_CHECK(check_mode(files.key));
  std::shared_ptr<TlsIdentity> identity(new TlsIdentity);
  SSL_CTX* context = identity->context_->native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return fail(not_usable("the TLS certificate", files.certificate));
  const bool key_taken = SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1;
  const auto reason = ERR_GET_REASON(ERR_peek_last_error());
  if (!key_taken && reason != X509_R_KEY_VALUES_MISMATCH && reason != X509_R_KEY_TYPE_MISMATCH)
    return fail(not_usable("the TLS key", files.key));
  if (!key_taken || SSL_CTX_check_private_key(context) != 1)
    return fail(Code::corrupt_data,
                fmt::format("the TLS key {} is not that of the certificate {}", files.key.string(), files.certificate.string()));
  identity->expires_ = expiry_of(context);
  return identity;
}

bool TlsIdentity::fits(const std::string& host) const {
  X509* certificate = SSL_CTX_get0_certificate(context_->native_handle());
  return X509_check_ip_asc(certificate, host.c_str(), 0) == 1 || X509_check_host(certificate, host.c_str(), host.size(), 0, nullptr) == 1;
}

}  // namespace puna::net
