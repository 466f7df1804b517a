// Requests in Ollama's dialect, checked and put into the engine's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/ollama/tables.h"
#include "api/openai/parameters.h"

namespace puna::api::ollama {

// What an answer's lines look like, and what the engine is asked for them.
enum class Style {
  chat,      // a message; the engine is asked for a chat
  generate,  // a text; the engine is asked for a chat, too
  raw,       // a text that continues the prompt as it is
  infill,    // a text between the prompt and a suffix
};

// What the answer's rendering must know of the question.
struct Expectations {
  Style style = Style::chat;
  std::string model;          // as it was asked for
  bool alternatives = false;  // of tokens, beside the chosen ones
  std::string ignored;        // members that nothing is known of
  std::string begun;          // the words of a last message of the assistant, which the answer continues
};

struct Request {
  openai::Request engine;  // without a body when there is nothing to answer: the model is only loaded, or unloaded
  Expectations expectations;
  std::optional<std::int64_t> context;  // tokens that the model must be loaded with at least
  bool wants_thinking = false;          // asked for in so many words
};

// Check the whole body. The error names the member: "options.top_k: expected an integer, got "x"".
[[nodiscard]] Result<Request> translate_chat(std::string_view body);
[[nodiscard]] Result<Request> translate_generate(std::string_view body);

struct Embedding {
  openai::Request engine;  // without a body when there is nothing to embed
  std::string model;
  std::optional<std::int64_t> dimensions;
  std::optional<std::int64_t> context;
};
[[nodiscard]] Result<Embedding> translate_embedding(Endpoint endpoint, std::string_view body);

// Of the endpoints about models: the body, checked, and "model" (or the older "name") in it.
struct Named {
  std::string model;
  json::object body;
};
[[nodiscard]] Result<Named> read_named(Endpoint endpoint, std::string_view body);

}  // namespace puna::api::ollama
