#include "api/openai/schema.h"

#include "api/openai/tables.h"

namespace puna::api::openai {
namespace {

json::object body_schema(const ConformanceTable& table, std::string_view content) {
  auto out = members_schema(table.members);
  out["required"] = json::array{"model", content};
  out["additionalProperties"] = false;
  return out;
}

}  // namespace

json::object chat_schema(wire::SchemaSet&) {
  return body_schema(table(Endpoint::chat), "messages");
}
json::object completions_schema(wire::SchemaSet&) {
  return body_schema(table(Endpoint::completions), "prompt");
}
json::object embeddings_schema(wire::SchemaSet&) {
  return body_schema(table(Endpoint::embeddings), "input");
}
json::object responses_schema(wire::SchemaSet&) {
  return body_schema(responses_table(), "input");
}

json::object rerank_schema(wire::SchemaSet&) {
  auto out = members_schema(rerank_table().members);
  out["required"] = json::array{"model", "query", "documents"};
  return out;
}
json::object batches_schema(wire::SchemaSet&) {
  auto out = members_schema(batches_table().members);
  out["required"] = json::array{"input_file_id", "endpoint", "completion_window"};
  return out;
}

}  // namespace puna::api::openai
