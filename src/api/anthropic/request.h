// A request in Anthropic's dialect, checked and put into the engine's.
#pragma once

#include <string>
#include <vector>

#include "api/anthropic/tables.h"
#include "api/openai/parameters.h"

namespace puna::api::anthropic {

// What the answer's rendering must know of the question.
struct Expectations {
  std::vector<std::string> stop_sequences;
  bool thinking = false;  // thinking is shown
  std::int64_t max_tokens = 0;
  std::string begun;  // the words of a last message of the assistant, which the answer continues
};

struct Request {
  openai::Request chat;
  Expectations expectations;
};

// Checks the whole body as openai::validate() does. Why it is put into the engine's dialect here and not by llama.cpp's own handler for
// /v1/messages: docs/dialects.md.
[[nodiscard]] Result<Request> translate(Endpoint endpoint, std::string_view body);

}  // namespace puna::api::anthropic
