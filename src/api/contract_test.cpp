// What every route promises.
#include <gtest/gtest.h>

#include <set>

#include "api/conformance.h"
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
    EXPECT_NE(route.scope.has_value(), route.open) << route.path << ": who may call it?";
    net::ServerRequest request;
    request.path = route.path;
    EXPECT_EQ(route.dialect, dialect_of(request)) << route.path;
  }
}

// ledger: F11
TEST(RouteContract, every_path_is_versioned_but_for_the_probes_and_other_apis_names) {
  const std::set<std::string_view> unversioned = {"/health", "/ready", "/openapi.json", "/metrics", "/rerank", "/v2/rerank"};
  for (const auto& route : routes())
    EXPECT_TRUE(route.path.starts_with("/api/v1/") || route.path.starts_with("/v1/") || route.dialect == Dialect::ollama ||
                unversioned.contains(route.path))
        << route.path;
}

TEST(ConformanceTables, each_belongs_to_a_route_and_each_route_of_a_dialect_has_one) {
  std::set<std::string> endpoints, tables;
  for (const auto& route : routes()) endpoints.insert(fmt::format("{} {}", route.method, route.path));
  for (const auto& sheet : dialect_sheets())
    for (const auto& table : sheet.tables) {
      EXPECT_TRUE(endpoints.contains(std::string(table.endpoint))) << table.endpoint;
      tables.emplace(table.endpoint);
    }
  for (const auto& route : routes())
    if (route.dialect != Dialect::native) EXPECT_TRUE(tables.contains(fmt::format("{} {}", route.method, route.path))) << route.path;
}

TEST(ConformanceTables, a_refused_member_names_the_way_out_and_no_name_stands_twice) {
  for (const auto& sheet : dialect_sheets())
    for (const auto& table : sheet.tables) {
      std::set<std::string_view> names;
      for (const auto& row : table.members) {
        EXPECT_TRUE(names.insert(row.name).second) << table.endpoint << " " << row.name;
        EXPECT_FALSE(row.treatment == Treatment::refused && row.note.empty()) << table.endpoint << " " << row.name;
      }
    }
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
