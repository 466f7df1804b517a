#include "api/anthropic/tables.h"
#include "api/conformance.h"
#include "api/ollama/tables.h"
#include "api/openai/tables.h"

namespace puna::api {

std::span<const DialectSheet> dialect_sheets() {
  static const std::vector<DialectSheet> all = {
      {.page = "openai.md",
       .title = "OpenAI's API",
       .introduction =
           "Below `http://127.0.0.1:17862/v1`. Extensions are llama.cpp's sampling options and Puna's `keep_alive`. "
           "Members that are not named here are refused, unless a profile has another engine answer: that one gets them as they came.",
       .tables = openai::tables()},
      {.page = "anthropic.md",
       .title = "Anthropic's API",
       .introduction =
           "Below `http://127.0.0.1:17862/v1`. Extensions are llama.cpp's sampling options and Puna's `keep_alive` and `truncation`.",
       .tables = anthropic::tables()},
      {.page = "ollama.md",
       .title = "Ollama's API",
       .introduction = "Below `http://127.0.0.1:17862/api`, and with `puna serve --compat ollama` also on port 11434.",
       .tables = ollama::tables()},
  };
  return all;
}

}  // namespace puna::api
