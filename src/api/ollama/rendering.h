// Answers in Ollama's dialect: one JSON object a line.
#pragma once

#include <memory>

#include "api/ollama/request.h"
#include "api/rendering.h"

namespace puna::api::ollama {

// Of /api/chat and /api/generate.
[[nodiscard]] std::unique_ptr<Rendering> answer_rendering(Expectations expectations);
// Of /api/embed and /api/embeddings.
[[nodiscard]] std::unique_ptr<Rendering> embedding_rendering(Endpoint endpoint, std::string model, std::optional<std::int64_t> dimensions);

// The answer to a request that only loads a model, or unloads it: `reason` is "load" or "unload".
[[nodiscard]] json::object idle_answer(const Expectations& expectations, std::string_view reason);

}  // namespace puna::api::ollama
