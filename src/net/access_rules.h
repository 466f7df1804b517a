// Which Host names and browser origins may call: against DNS rebinding and cross-site requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/http_types.h"

namespace puna::net {

class AccessRules {
 public:
  AccessRules(std::vector<std::string> hosts, std::vector<std::string> origins);
  // A name that is always allowed besides the loopback ones: the address being listened on. While that is no loopback address, every IP
  // address is: rebinding needs a name.
  void allow_host(std::string_view host);
  void replace(std::vector<std::string> hosts, std::vector<std::string> origins);

  // `host` is a Host header, with or without a port.
  [[nodiscard]] Result<> check_host(std::string_view host) const;
  // For the origin of a request to `host`; empty when the request may pass and needs no CORS headers, otherwise the origin to answer
  // with. Judges requests without Origin by Sec-Fetch-Site.
  [[nodiscard]] Result<std::string> check_origin(std::string_view method, std::string_view host, const Headers& headers) const;

 private:
  std::vector<std::string> hosts_, own_hosts_, origins_;  // lower case
  bool any_address_ = false;
};

[[nodiscard]] bool is_preflight(std::string_view method, const Headers& headers);
[[nodiscard]] Response preflight_response(const Headers& request, std::string_view origin);

}  // namespace puna::net
