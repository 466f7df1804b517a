// What every route promises.
#include <gtest/gtest.h>

#include <set>

#include "api/error_body.h"
#include "api/openapi.h"

namespace puna::api {
namespace {

// ledger: T16
TEST(RouteContract, every_route_is_whole_and_unique) {
  std::set<std::string> operations, places;
  for (const auto& route : routes()) {
    EXPECT_TRUE(operations.insert(std::string(route.operation)).second) << route.operation;
    EXPECT_TRUE(places.insert(fmt::format("{} {}", route.method, route.path)).second) << route.path;
    EXPECT_TRUE(route.handle) << route.path;
    EXPECT_FALSE(route.summary.empty()) << route.path;
    EXPECT_EQ(route.dialect, dialect_of(route.path)) << route.path;
  }
}

// ledger: F11
TEST(RouteContract, every_path_is_versioned_but_for_the_probes) {
  const std::set<std::string_view> unversioned = {"/health", "/ready", "/openapi.json"};
  for (const auto& route : routes())
    EXPECT_TRUE(route.path.starts_with("/api/v1/") || route.path.starts_with("/v1/") || unversioned.contains(route.path)) << route.path;
}

void expect_references_resolve(const json::value& node, const json::object& schemas) {
  if (node.is_array())
    for (const auto& item : node.get_array()) expect_references_resolve(item, schemas);
  if (!node.is_object()) return;
  for (const auto& member : node.get_object()) {
    if (member.key() == "$ref") {
      const std::string_view reference = member.value().get_string();
      EXPECT_TRUE(schemas.contains(reference.substr(reference.rfind('/') + 1))) << reference;
    }
    expect_references_resolve(member.value(), schemas);
  }
}

TEST(OpenApi, names_every_route_and_every_reference_resolves) {
  const auto document = openapi_document(routes());
  std::size_t operations = 0;
  for (const auto& path : document.at("paths").as_object()) operations += path.value().as_object().size();
  EXPECT_EQ(operations, routes().size());
  expect_references_resolve(document, document.at("components").as_object().at("schemas").as_object());
}

}  // namespace
}  // namespace puna::api
