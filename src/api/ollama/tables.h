// What Ollama's endpoints take here: https://docs.ollama.com/api
#pragma once

#include "api/conformance.h"

namespace puna::api::ollama {

enum class Endpoint { generate, chat, embed, embeddings, show, pull, push, create, copy, remove };

// The members of the body of an endpoint.
[[nodiscard]] const ConformanceTable& table(Endpoint endpoint);
// The object `options` of those that compute.
[[nodiscard]] const ConformanceTable& options_table();
// One of a chat's messages.
[[nodiscard]] const ConformanceTable& message_table();

// Names that an object has and its table does not: they are ignored, as Ollama does, and told in the header X-Puna-Ignored.
[[nodiscard]] std::vector<std::string> unlisted(const ConformanceTable& table, const json::object& object);

// Every endpoint, and the objects inside their bodies.
[[nodiscard]] std::span<const ConformanceTable> tables();

}  // namespace puna::api::ollama
