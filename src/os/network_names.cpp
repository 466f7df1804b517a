#include "os/network_names.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/text.h"

namespace puna::os {
namespace {

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (address->sa_family == AF_INET) ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, out.data(), out.size());
  if (address->sa_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (!IN6_IS_ADDR_LINKLOCAL(&six)) ::inet_ntop(AF_INET6, &six, out.data(), out.size());
  }
  return out.data();
}

std::vector<std::string> addresses() {
  std::vector<std::string> out;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return out;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, &::freeifaddrs);
  for (const ifaddrs* one = first; one; one = one->ifa_next) {
    const bool up = (one->ifa_flags & IFF_UP) != 0, loopback = (one->ifa_flags & IFF_LOOPBACK) != 0;
    if (!up || loopback || !one->ifa_addr) continue;
    if (auto text = text_of(one->ifa_addr); !text.empty()) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace

std::vector<std::string> names_of_host(std::string_view hostname) {
  const std::string full = lower_ascii(hostname);
  const std::string name = full.substr(0, full.find('.'));
  if (name.empty() || name == "localhost") return {};
  std::vector<std::string> out{full};
  if (name != full) out.push_back(name);
  if (!full.ends_with(".local")) out.push_back(name + ".local");
  return out;
}

std::vector<std::string> network_names() {
  std::array<char, 256> hostname{};
  if (::gethostname(hostname.data(), hostname.size() - 1) != 0) hostname[0] = '\0';
  auto out = names_of_host(hostname.data());
  for (auto& address : addresses())
    if (std::ranges::find(out, address) == out.end()) out.push_back(std::move(address));
  out.insert(out.end(), {"localhost", "127.0.0.1", "::1"});
  return out;
}

}  // namespace puna::os
