// Which of llama.cpp's HTTP routes a worker answers, and how their failures look.
#pragma once

#include <cstdint>

#include "worker/arguments.h"

struct server_http_context;  // NOLINT(readability-identifier-naming): llama.cpp's
struct server_routes;        // NOLINT(readability-identifier-naming): llama.cpp's

namespace puna::worker {

struct GenerationParts;

struct ServedModel {
  Mode mode = Mode::generate;
  std::int64_t context_length = 0;
};

// Every failure has OpenAI's shape: {"error": {"message", "type", "param", "code"}}. The objects must outlive the server.
void register_routes(server_http_context& http, const server_routes& routes, ServedModel model, const GenerationParts& generation);

}  // namespace puna::worker
