#include "net/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <optional>

#include "base/text.h"
#include "net/ip_address.h"

namespace puna::net {
namespace {

template <auto release>
struct Releasing {
  void operator()(auto* object) const { release(object); }
};
using Certificate = std::unique_ptr<X509, Releasing<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Releasing<EVP_PKEY_free>>;
using Text = std::unique_ptr<BIO, Releasing<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Releasing<X509_EXTENSION_free>>;
using Store = std::unique_ptr<X509_STORE, Releasing<X509_STORE_free>>;
using Check = std::unique_ptr<X509_STORE_CTX, Releasing<X509_STORE_CTX_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Releasing<GENERAL_NAMES_free>>;

// RFC 1918, 6598, 3927, 4193 and 4291: what a router hands out changes, and needs no other authority then.
constexpr std::array kPrivateNetworks = {"10.0.0.0/255.0.0.0",
                                         "172.16.0.0/255.240.0.0",
                                         "192.168.0.0/255.255.0.0",
                                         "100.64.0.0/255.192.0.0",
                                         "169.254.0.0/255.255.0.0",
                                         "127.0.0.0/255.0.0.0",
                                         "::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                                         "fc00::/fe00::",
                                         "fe80::/ffc0::"};
// A client's clock may be slow.
constexpr std::chrono::hours kBefore{1};

Error openssl_error(std::string_view what) {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return {Code::internal, fmt::format("{}: {}", what, reason ? reason : "OpenSSL gives no reason")};
}

bool is_label(std::string_view label) {
  constexpr std::size_t kLongest = 63;
  if (label.empty() || label.size() > kLongest || label.starts_with('-') || label.ends_with('-')) return false;
  return std::ranges::all_of(label, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::vector<std::string> parts;
  for (const auto& name : names) parts.push_back((is_ip_address(name) ? "IP:" : "DNS:") + name);
  return join(parts, ",");
}

std::string constraints(const std::vector<std::string>& names) {
  std::string out = "critical";
  for (const auto* network : kPrivateNetworks) out += fmt::format(",permitted;IP:{}", network);
  for (const auto& name : names) {
    const bool six = name.contains(':');
    if (is_ip_address(name))
      out += fmt::format(",permitted;IP:{}/{}", name, six ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255");
    else
      out += ",permitted;DNS:" + name;
  }
  // Where no host name is permitted, all would be.
  if (std::ranges::all_of(names, is_ip_address)) out += ",permitted;DNS:localhost";
  return out;
}

struct Draft {
  Certificate certificate{X509_new()};
  PrivateKey key{EVP_EC_gen("P-256")};
};

Result<Draft> begin(const std::string& common_name, std::chrono::days valid, WallTime now) {
  constexpr std::size_t kLongestName = 64;  // X.520's bound of a common name
  Draft out;
  std::array<unsigned char, 16> serial{};
  if (!out.certificate || !out.key || RAND_bytes(serial.data(), serial.size()) != 1) return fail(openssl_error("no key could be made"));
  serial[0] &= 0x7F;
  X509* certificate = out.certificate.get();
  const std::unique_ptr<BIGNUM, Releasing<BN_free>> number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  const std::string name = common_name.substr(0, kLongestName);
  const auto from = std::chrono::system_clock::to_time_t(now - kBefore), until = std::chrono::system_clock::to_time_t(now + valid);
  if (X509_set_version(certificate, X509_VERSION_3) != 1 || !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) ||
      !ASN1_TIME_set(X509_getm_notBefore(certificate), from) || !ASN1_TIME_set(X509_getm_notAfter(certificate), until) ||
      X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) != 1 ||
      X509_set_pubkey(certificate, out.key.get()) != 1)
    return fail(openssl_error("no certificate could be made"));
  return out;
}

Result<> add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) return fail(openssl_error("no certificate could be made"));
  return {};
}

using Extensions = std::vector<std::pair<int, std::string>>;

// `issuer` may be the certificate itself.
Result<> complete(X509* certificate, X509* issuer, EVP_PKEY* issuer_key, const Extensions& extensions) {
  if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1) return fail(openssl_error("no certificate could be made"));
  for (const auto& [kind, value] : extensions) PUNA_CHECK(add_extension(certificate, issuer, kind, value));
  if (X509_sign(certificate, issuer_key, EVP_sha256()) == 0) return fail(openssl_error("the certificate could not be signed"));
  return {};
}

std::string text_of(BIO* text) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

Result<CertifiedKey> as_text(const Draft& draft) {
  const Text certificate(BIO_new(BIO_s_mem())), key(BIO_new(BIO_s_secmem()));
  if (!certificate || !key || PEM_write_bio_X509(certificate.get(), draft.certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key.get(), draft.key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return fail(openssl_error("no certificate could be written"));
  return CertifiedKey{.certificate = text_of(certificate.get()), .key = Secret(text_of(key.get()))};
}

Result<Certificate> parse_certificate(std::string_view pem) {
  const Text text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate out(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!out) return fail(Code::corrupt_data, "there is no PEM certificate in it");
  return out;
}

Result<Draft> parse(const CertifiedKey& pair) {
  Draft out{.certificate = nullptr, .key = nullptr};
  PUNA_TRY(out.certificate, parse_certificate(pair.certificate));
  const std::string_view key = pair.key.reveal();
  const Text text(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  char no_passphrase[] = "";
  out.key.reset(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, no_passphrase));
  const bool belongs = out.key && X509_check_private_key(out.certificate.get(), out.key.get()) == 1;
  ERR_clear_error();
  if (!belongs) return fail(Code::corrupt_data, "the key is not that of the certificate");
  return out;
}

// By OpenSSL's own judgement, as a client has it.
Result<> check_vouched(X509* certificate, X509* authority) {
  const Store store(X509_STORE_new());
  const Check check(X509_STORE_CTX_new());
  if (!store || !check || X509_STORE_add_cert(store.get(), authority) != 1 ||
      X509_STORE_CTX_init(check.get(), store.get(), certificate, nullptr) != 1 ||
      X509_STORE_set_flags(store.get(), X509_V_FLAG_X509_STRICT) != 1)
    return fail(openssl_error("the certificate could not be checked"));
  if (X509_verify_cert(check.get()) == 1) return {};
  const auto* reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
  ERR_clear_error();
  return fail(Code::conflict, fmt::format("the authority cannot vouch for these names: {}", reason));
}

WallTime expiry_of(const X509* certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&time));
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names, addresses;
  const Names found(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; found && i < sk_GENERAL_NAME_num(found.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    const auto* bytes = ASN1_STRING_get0_data(name->d.ia5);
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.ia5));
    if (name->type == GEN_DNS) names.emplace_back(reinterpret_cast<const char*>(bytes), size);
    if (name->type != GEN_IPADD || (size != sizeof(in_addr) && size != sizeof(in6_addr))) continue;
    std::array<char, INET6_ADDRSTRLEN> out{};
    addresses.emplace_back(::inet_ntop(size == sizeof(in_addr) ? AF_INET : AF_INET6, bytes, out.data(), out.size()));
  }
  names.insert(names.end(), addresses.begin(), addresses.end());
  return names;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), bytes.data(), &size) != 1) return {};
  return fmt::format("{:02X}", fmt::join(bytes.begin(), bytes.begin() + size, ":"));
}

}  // namespace

Result<std::string> certificate_name(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  std::string name = lower_ascii(trim(text));
  if (auto address = canonical_ip_address(name)) return *address;
  if (name.ends_with('.')) name.pop_back();
  const auto labels = split(name, '.');
  // Clients would take "1.2.3" for an address.
  const bool numeric = !labels.empty() && labels.back().find_first_not_of("0123456789") == std::string_view::npos;
  if (name.size() > kLongest || numeric || !std::ranges::all_of(labels, is_label))
    return fail(Code::invalid_argument, fmt::format("'{}' is neither a host name nor an address", printable(text)));
  return name;
}

Result<CertifiedKey> make_authority(const std::vector<std::string>& names, std::chrono::days valid, WallTime now) {
  PUNA_TRY(const auto draft, begin("Puna's authority on " + (names.empty() ? std::string("this machine") : names.front()), valid, now));
  PUNA_CHECK(complete(draft.certificate.get(), draft.certificate.get(), draft.key.get(),
                      {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                       {NID_key_usage, "critical,keyCertSign,cRLSign"},
                       {NID_ext_key_usage, "serverAuth"},
                       {NID_subject_key_identifier, "hash"},
                       {NID_name_constraints, constraints(names)}}));
  return as_text(draft);
}

Result<CertifiedKey> issue_certificate(const CertifiedKey& authority, const std::vector<std::string>& names, std::chrono::days valid,
                                       WallTime now) {
  PUNA_TRY(const auto issuer, parse(authority));
  if (expiry_of(issuer.certificate.get()) < now + valid) return fail(Code::conflict, "the authority ends before the certificate would");
  PUNA_TRY(const auto draft, begin("Puna on " + (names.empty() ? std::string("this machine") : names.front()), valid, now));
  PUNA_CHECK(complete(draft.certificate.get(), issuer.certificate.get(), issuer.key.get(),
                      {{NID_basic_constraints, "critical,CA:FALSE"},
                       {NID_key_usage, "critical,digitalSignature"},
                       {NID_ext_key_usage, "serverAuth"},
                       {NID_subject_key_identifier, "hash"},
                       {NID_authority_key_identifier, "keyid"},
                       {NID_subject_alt_name, alternative_names(names)}}));
  PUNA_CHECK(check_vouched(draft.certificate.get(), issuer.certificate.get()));
  return as_text(draft);
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
  PUNA_TRY(const auto certificate, parse_certificate(pem));
  return CertificateFacts{
      .names = names_of(certificate.get()), .expires = expiry_of(certificate.get()), .fingerprint = fingerprint_of(certificate.get())};
}

}  // namespace puna::net
