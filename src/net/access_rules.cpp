#include "net/access_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/ip_address.h"
#include "net/url.h"

namespace puna::net {

namespace {

std::string normal_origin(std::string_view origin) {
  origin = trim(origin);
  if (origin.ends_with('/')) origin.remove_suffix(1);
  return lower_ascii(origin);
}

std::string normal_host(std::string_view host) {
  if (host.starts_with('[')) return lower_ascii(host.substr(1, host.find(']') - 1));
  if (std::ranges::count(host, ':') > 1) return lower_ascii(host);  // a bare IPv6 address, in a setting
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return lower_ascii(host);
}

std::vector<std::string> normal_hosts(const std::vector<std::string>& hosts) {
  std::vector<std::string> out;
  for (const auto& host : hosts) out.push_back(normal_host(trim(host)));
  return out;
}

std::vector<std::string> normal_origins(const std::vector<std::string>& origins) {
  std::vector<std::string> out;
  for (const auto& origin : origins) out.push_back(normal_origin(origin));
  return out;
}

bool holds(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

}  // namespace

AccessRules::AccessRules(std::vector<std::string> hosts, std::vector<std::string> origins) {
  replace(std::move(hosts), std::move(origins));
}

void AccessRules::allow_host(std::string_view host) {
  own_hosts_.push_back(normal_host(host));
  any_address_ = any_address_ || (is_ip_address(own_hosts_.back()) && !is_loopback_host(own_hosts_.back()));
}

void AccessRules::replace(std::vector<std::string> hosts, std::vector<std::string> origins) {
  hosts_ = normal_hosts(hosts);
  origins_ = normal_origins(origins);
}

Result<> AccessRules::check_host(std::string_view host) const {
  const auto name = normal_host(host);
  if (any_address_ && is_ip_address(name)) return {};
  if (is_loopback_host(name) || holds(own_hosts_, name) || holds(hosts_, name) || holds(hosts_, "*")) return {};
  return fail(Code::permission_denied,
              fmt::format("the host name '{}' is not allowed; add it to the setting server.allowed_hosts if it is yours", printable(host)));
}

Result<std::string> AccessRules::check_origin(std::string_view method, std::string_view host, const Headers& headers) const {
  const auto origin = headers.get("Origin");
  if (!origin) {
    const auto site = headers.get("Sec-Fetch-Site").value_or("none");
    const bool reads = method == "GET" || method == "HEAD";
    if (reads || site == "none" || site == "same-origin") return "";
    return fail(Code::permission_denied, "requests from other web sites are not allowed");
  }
  const auto name = normal_origin(*origin);
  if (name == "http://" + lower_ascii(host) || name == "https://" + lower_ascii(host)) return "";
  if (holds(origins_, name) || holds(origins_, "*")) return std::string(*origin);
  return fail(
      Code::permission_denied,
      fmt::format("the origin '{}' is not allowed; add it to the setting server.allowed_origins if it is yours", printable(*origin)));
}

bool is_preflight(std::string_view method, const Headers& headers) {
  return method == "OPTIONS" && headers.contains("Origin") && headers.contains("Access-Control-Request-Method");
}

// https://fetch.spec.whatwg.org/#http-cors-protocol
Response preflight_response(const Headers& request, std::string_view origin) {
  Response response{.status = 204, .headers = {}, .body = {}};
  if (origin.empty()) return response;  // our own pages need no permission
  response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  if (const auto wanted = request.get("Access-Control-Request-Headers"))
    response.headers.add("Access-Control-Allow-Headers", std::string(*wanted));
  if (request.contains("Access-Control-Request-Private-Network")) response.headers.add("Access-Control-Allow-Private-Network", "true");
  response.headers.add("Access-Control-Max-Age", "600");
  return response;
}

}  // namespace puna::net
