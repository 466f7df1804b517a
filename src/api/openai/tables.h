// What OpenAI's endpoints take here: https://platform.openai.com/docs/api-reference
#pragma once

#include "api/conformance.h"

namespace puna::api::openai {

enum class Endpoint { chat, completions, embeddings };
BOOST_DESCRIBE_ENUM(Endpoint, chat, completions, embeddings)

// The members of the body of an endpoint.
[[nodiscard]] const ConformanceTable& table(Endpoint endpoint);

// The body of a request for a response, and objects in it.
[[nodiscard]] const ConformanceTable& responses_table();
[[nodiscard]] const ConformanceTable& reasoning_table();
[[nodiscard]] const ConformanceTable& text_table();
// The body of a request to rank documents.
[[nodiscard]] const ConformanceTable& rerank_table();
// The fields of the form that a file comes in.
[[nodiscard]] const ConformanceTable& files_table();
// The body of a request for a batch, and an object in it.
[[nodiscard]] const ConformanceTable& batches_table();
[[nodiscard]] const ConformanceTable& output_expiry_table();

// Every endpoint, and the objects inside their bodies.
[[nodiscard]] std::span<const ConformanceTable> tables();

}  // namespace puna::api::openai
