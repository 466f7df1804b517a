#include "api/openapi.h"

#include "base/text.h"
#include "base/version.h"
#include "wire/error.h"

namespace puna::api {
namespace {

json::object content(std::string_view type, json::object schema) {
  return {{"content", json::object{{type, json::object{{"schema", std::move(schema)}}}}}};
}

json::object parameter(std::string_view name, std::string_view place, std::string_view help) {
  json::object out{{"name", name}, {"in", place}, {"required", place == "path"}, {"schema", json::object{{"type", "string"}}}};
  if (!help.empty()) out["description"] = help;
  return out;
}

json::array parameters_of(const Route& route) {
  json::array out;
  for (const auto segment : split(route.path, '/'))
    if (segment.size() > 2 && segment.front() == '{')
      out.push_back(parameter(segment.substr(1, segment.size() - 2), "path", "one path segment, percent-encoded"));
  for (const auto& query : route.query) out.push_back(parameter(query.name, "query", query.help));
  return out;
}

json::object openai_error_schema() {
  return {{"type", "object"},
          {"properties",
           json::object{{"error", json::object{{"type", "object"},
                                               {"properties", json::object{{"message", json::object{{"type", "string"}}},
                                                                           {"type", json::object{{"type", "string"}}},
                                                                           {"param", json::object{{"type", json::array{"string", "null"}}}},
                                                                           {"code", json::object{{"type", "string"}}}}}}}}}};
}

json::object anthropic_error_schema() {
  const json::object text{{"type", "string"}};
  return {{"type", "object"},
          {"properties",
           json::object{{"type", text},
                        {"error", json::object{{"type", "object"}, {"properties", json::object{{"type", text}, {"message", text}}}}},
                        {"request_id", text}}}};
}

json::object ollama_error_schema() {
  return {{"type", "object"}, {"properties", json::object{{"error", json::object{{"type", "string"}}}}}};
}

json::object error_schema(Dialect dialect, wire::SchemaSet& schemas) {
  switch (dialect) {
    case Dialect::native:
      return schemas.of<wire::ErrorBody>();
    case Dialect::openai:
      return openai_error_schema();
    case Dialect::anthropic:
      return anthropic_error_schema();
    case Dialect::ollama:
      return ollama_error_schema();
  }
  return {};
}

json::object operation(const Route& route, wire::SchemaSet& schemas) {
  json::object out{{"operationId", route.operation}, {"summary", route.summary}};
  if (auto parameters = parameters_of(route); !parameters.empty()) out["parameters"] = std::move(parameters);
  if (route.request_schema) {
    auto body = content("application/json", route.request_schema(schemas));
    body["required"] = true;
    out["requestBody"] = std::move(body);
  }
  json::object success = content(route.response_type, route.response_schema ? route.response_schema(schemas) : json::object{});
  success["description"] = "success";
  json::object failure = content("application/json", error_schema(route.dialect, schemas));
  failure["description"] = "failure";
  out["responses"] = json::object{{std::to_string(route.success_status), std::move(success)}, {"default", std::move(failure)}};
  return out;
}

}  // namespace

json::object openapi_document(std::span<const Route> routes) {
  wire::SchemaSet schemas;
  json::object paths;
  for (const auto& route : routes) {
    if (!paths.contains(route.path)) paths[route.path] = json::object{};
    paths[route.path].as_object()[lower_ascii(route.method)] = operation(route, schemas);
  }
  return {{"openapi", "3.1.0"},
          {"info",
           json::object{
               {"title", "Puna"}, {"version", version()}, {"license", json::object{{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
          {"paths", std::move(paths)},
          {"components", json::object{{"schemas", schemas.components()}}}};
}

}  // namespace puna::api
