// How other machines may call this one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace puna::os {

// "box" is also "box.local" (mDNS); "box.example.org" is also "box".
[[nodiscard]] std::vector<std::string> names_of_host(std::string_view hostname);

// The names of this machine's host name, the addresses of its interfaces that are up (link-local ones of IPv6 aside: they mean nothing
// without the interface), and at last localhost with its addresses.
[[nodiscard]] std::vector<std::string> network_names();

}  // namespace puna::os
