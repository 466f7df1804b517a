#include "api/router.h"

#include <fmt/ranges.h>

#include <set>

#include "base/text.h"
#include "net/url.h"

namespace puna::api {
namespace {

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool fits(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& segments) {
  if (pattern.size() != segments.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if (is_parameter(pattern[i]) ? segments[i].empty() : pattern[i] != segments[i]) return false;
  return true;
}

}  // namespace

Router::Router(std::span<const Route> routes) {
  for (const auto& route : routes) entries_.push_back({&route, split(route.path, '/')});
}

Result<Router::Match> Router::match(std::string_view method, std::string_view path) const {
  const auto segments = split(path, '/');
  std::set<std::string_view> methods;
  for (const auto& entry : entries_) {
    if (!fits(entry.segments, segments)) continue;
    const bool head = method == "HEAD" && entry.route->method == "GET";
    if (entry.route->method != method && !head) {
      methods.insert(entry.route->method);
      continue;
    }
    Match found{entry.route, {}};
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (!is_parameter(entry.segments[i])) continue;
      PUNA_TRY(auto decoded, net::percent_decode(segments[i]));
      found.parameters.emplace(entry.segments[i].substr(1, entry.segments[i].size() - 2), std::move(decoded));
    }
    return found;
  }
  if (!methods.empty())
    return fail(Code::unsupported,
                fmt::format("{} is not a method of {}; it has {}", printable(method), printable(path), fmt::join(methods, ", ")));
  return fail(Code::not_found, fmt::format("there is no {}; /openapi.json lists what there is", printable(path)));
}

}  // namespace puna::api
