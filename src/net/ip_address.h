// Addresses of IPv4 and IPv6 as text.
#pragma once

#include <optional>
#include <string>

namespace puna::net {

// In its shortest form ("::1" for "0:0:0:0:0:0:0:1"); absent when it is none, such as a host's name.
[[nodiscard]] std::optional<std::string> canonical_ip_address(const std::string& text);
[[nodiscard]] inline bool is_ip_address(const std::string& text) {
  return canonical_ip_address(text).has_value();
}

}  // namespace puna::net
