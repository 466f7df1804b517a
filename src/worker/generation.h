// A request that generates, on its way to llama.cpp's handler.
#pragma once

#include <string>
#include <vector>

#include "server-context.h"
#include "server-http.h"
#include "worker/warmth.h"

struct llama_vocab;  // NOLINT(readability-identifier-naming): llama.cpp's

namespace puna::worker {

struct GenerationParts {
  const llama_vocab* vocab = nullptr;
  const server_chat_params* chat = nullptr;
  AdapterScales adapters;    // those loaded, with the scales of a request that does not say; empty: none
  Warmth* warmth = nullptr;  // null: conversations are not saved
};

enum class PromptKind { chat, text };

// The handler with what comes before it: the request states its set of adapters in full (llama.cpp keeps a slot's content across a change
// that a request does not state), and a conversation that was saved is brought back. `parts` must outlive it.
[[nodiscard]] server_http_context::handler_t generating(server_http_context::handler_t handler, PromptKind kind,
                                                        const GenerationParts& parts);

}  // namespace puna::worker
