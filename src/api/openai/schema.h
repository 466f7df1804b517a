// JSON Schemas of request bodies, printed from the parameter tables.
#pragma once

#include "wire/schema.h"

namespace puna::api::openai {

[[nodiscard]] json::object chat_schema(wire::SchemaSet&);
[[nodiscard]] json::object completions_schema(wire::SchemaSet&);
[[nodiscard]] json::object embeddings_schema(wire::SchemaSet&);
[[nodiscard]] json::object responses_schema(wire::SchemaSet&);
[[nodiscard]] json::object rerank_schema(wire::SchemaSet&);
[[nodiscard]] json::object batches_schema(wire::SchemaSet&);

}  // namespace puna::api::openai
