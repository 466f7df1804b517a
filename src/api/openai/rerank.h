// Scoring documents for a query, in the shape that Jina's and Cohere's APIs share.
// https://jina.ai/reranker/  https://docs.cohere.com/reference/rerank
#pragma once

#include "api/gateway.h"

namespace puna::api::openai {

// Checks the body; the error names the member. Documents are texts, or objects with a member "text".
[[nodiscard]] Result<Inference> prepare_rerank(std::string_view body);

}  // namespace puna::api::openai
