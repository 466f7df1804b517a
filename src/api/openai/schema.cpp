#include "api/openai/schema.h"

#include "api/openai/tables.h"

namespace puna::api::openai {
namespace {

json::object body_schema(Endpoint endpoint, std::string_view content) {
  auto out = members_schema(table(endpoint).members);
  out["required"] = json::array{"model", content};
  out["additionalProperties"] = false;
  return out;
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
