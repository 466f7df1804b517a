#include "net/ip_address.h"

#include <arpa/inet.h>

#include <array>

namespace puna::net {

std::optional<std::string> canonical_ip_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  for (const int family : {AF_INET, AF_INET6})
    if (::inet_pton(family, text.c_str(), bytes.data()) == 1) return ::inet_ntop(family, bytes.data(), out.data(), out.size());
  return std::nullopt;
}

}  // namespace puna::net
