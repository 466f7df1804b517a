#include "api/openai/schema.h"

#include "api/openai/parameters.h"

namespace puna::api::openai {
namespace {

json::object kind_schema(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return {{"type", "boolean"}};
    case Kind::integer:
      return {{"type", "integer"}};
    case Kind::number:
      return {{"type", "number"}};
    case Kind::text:
      return {{"type", "string"}};
    case Kind::list:
      return {{"type", "array"}};
    case Kind::object:
      return {{"type", "object"}};
    case Kind::text_or_list:
      return {{"type", json::array{"string", "array"}}};
    case Kind::token_map:
      return {{"type", json::array{"object", "array"}}};
    case Kind::any:
      return {};
  }
  return {};
}

json::object parameter_schema(const Parameter& row) {
  constexpr double kUnbounded = 9e15;
  json::object out = kind_schema(row.kind);
  if (row.min > -kUnbounded) out["minimum"] = row.min;
  if (row.max < kUnbounded) out["maximum"] = row.max;
  if (row.treatment == Treatment::noted) out["description"] = "accepted; without effect here";
  if (row.ours) out["description"] = "extension beyond OpenAI's API";
  return out;
}

json::object body_schema(Endpoint endpoint, std::string_view content) {
  json::object properties;
  for (const auto& row : parameters(endpoint))
    if (row.treatment != Treatment::refused) properties[row.name] = parameter_schema(row);
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", json::array{"model", content}},
          {"additionalProperties", false}};
}

}  // namespace

json::object chat_schema(wire::SchemaSet&) {
  return body_schema(Endpoint::chat, "messages");
}
json::object completions_schema(wire::SchemaSet&) {
  return body_schema(Endpoint::completions, "prompt");
}
json::object embeddings_schema(wire::SchemaSet&) {
  return body_schema(Endpoint::embeddings, "input");
}

}  // namespace puna::api::openai
