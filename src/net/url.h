// URLs as people write them and as RFC 3986 means them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace puna::net {

// A value; every part keeps the case and the escapes it was written with, except the scheme, which is lower case.
struct Url {
  std::string scheme;                      // "https"
  std::optional<std::string> credentials;  // "user" or "user:password", escaped
  std::string host;                        // "example.com", "127.0.0.1", "::1" (without brackets)
  std::optional<std::uint16_t> port;
  std::string path;                     // "" or "/…"
  std::optional<std::string> query;     // without "?"
  std::optional<std::string> fragment;  // without "#"

  // "https://user:pw@example.com:8443/a?b#c", "[::1]:8080", "example.com", "localhost:11434/x". Without a scheme, `default_scheme` is
  // meant. Refuses what cannot be a URL, with the reason. Bytes beyond ASCII in path, query and fragment are escaped.
  [[nodiscard]] static Result<Url> parse(std::string_view text, std::string_view default_scheme = "http");

  [[nodiscard]] std::string text() const;
  // For logs and messages: no credentials, no query (signed URLs carry their secret there), no fragment.
  [[nodiscard]] std::string printable() const;
  [[nodiscard]] Url without_credentials() const;

  [[nodiscard]] std::uint16_t effective_port() const;  // 80 for http, 443 for https, 0 when unknown
  [[nodiscard]] std::string authority() const;         // "host:port" as a Host header carries it
  [[nodiscard]] std::string target() const;            // path and query: what a request line carries
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool same_origin(const Url& other) const;

  // The URL that a reference found here means (RFC 3986, section 5.2): an absolute URL, "//host/x", "/x", "../x", "?q", "#f".
  [[nodiscard]] Result<Url> resolve(std::string_view reference) const;

  bool operator==(const Url&) const = default;
};

// Whether a host name, without port or brackets, is this machine's: localhost, *.localhost, 127.0.0.0/8, ::1.
[[nodiscard]] bool is_loopback_host(std::string_view host);

// Escapes everything but unreserved characters and those in `keep`.
[[nodiscard]] std::string percent_encode(std::string_view text, std::string_view keep = "");
// Refuses "%" without two hexadecimal digits.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text);

}  // namespace puna::net
