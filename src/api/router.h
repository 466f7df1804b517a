// From method and path to a route.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/spec.h"

namespace puna::api {

class Router {
 public:
  explicit Router(std::span<const Route> routes);

  struct Match {
    const Route* route = nullptr;
    std::map<std::string, std::string> parameters;
  };
  // not_found quotes the path; unsupported (method) lists the methods that the path has.
  [[nodiscard]] Result<Match> match(std::string_view method, std::string_view path) const;

 private:
  struct Entry {
    const Route* route;
    std::vector<std::string_view> segments;
  };
  std::vector<Entry> entries_;
};

}  // namespace puna::api
