// A route is data: the router, OpenAPI and the contract test read the same table.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"
#include "wire/access.h"
#include "wire/schema.h"

namespace puna::api {

// In which shape an endpoint reports failure.
enum class Dialect { native, openai, anthropic, ollama };

struct QueryParameter {
  std::string_view name;
  std::string_view help;
};

struct Route {
  std::string_view method;
  std::string_view path;       // "/api/v1/models/{name}"; a parameter is one segment, percent-encoded by the client
  std::string_view operation;  // OpenAPI's operationId, unique
  std::string_view summary;
  net::Task<Result<>> (*handle)(Call&);
  // What the caller must be allowed, or that everybody may call; a row that says neither is for admin, and the contract test refuses it.
  std::optional<wire::Scope> scope = {};
  bool open = false;
  json::object (*request_schema)(wire::SchemaSet&) = nullptr;   // null: no body
  json::object (*response_schema)(wire::SchemaSet&) = nullptr;  // null: described by response_type alone
  std::string_view response_type = "application/json";
  int success_status = 200;
  Dialect dialect = Dialect::native;
  std::vector<QueryParameter> query = {};
  // The handler reads the body itself (request().read_body), as long as it is no longer than this.
  Bytes (*streamed_body)(const Settings&) = nullptr;
};

template <class T>
json::object schema_of(wire::SchemaSet& set) {
  return set.of<T>();
}

// Every route of the program, in the order of the documentation.
[[nodiscard]] std::span<const Route> routes();

}  // namespace puna::api
