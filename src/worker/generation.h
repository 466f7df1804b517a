// A request that generates, on its way to llama.cpp's handler.
#pragma once

#include <functional>
#include <memory>

#include "worker/warmth/warmth.h"

// llama.cpp's.
struct llama_vocab;         // NOLINT(readability-identifier-naming)
struct server_chat_params;  // NOLINT(readability-identifier-naming)
struct server_http_req;     // NOLINT(readability-identifier-naming)
struct server_http_res;     // NOLINT(readability-identifier-naming)

namespace puna::worker {

struct GenerationParts {
  const llama_vocab* vocab = nullptr;
  const server_chat_params* chat = nullptr;
  AdapterScales adapters;    // those loaded, with the scales of a request that does not say; empty: none
  Warmth* warmth = nullptr;  // null: conversations are not saved
};

enum class PromptKind { chat, text };

// As server_http_context has it.
using GenerationHandler = std::function<std::unique_ptr<server_http_res>(const server_http_req&)>;

// The handler with what comes before it: the request states its set of adapters in full (llama.cpp keeps a slot's content across a change
// that a request does not state), and a conversation that was saved is brought back. `parts` must outlive it.
[[nodiscard]] GenerationHandler generating(GenerationHandler handler, PromptKind kind, const GenerationParts& parts);

}  // namespace puna::worker
