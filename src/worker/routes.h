// Which of llama.cpp's HTTP routes a worker answers, and how their failures look.
#pragma once

#include <cstdint>

#include "worker/arguments.h"

struct server_http_context;  // NOLINT(readability-identifier-naming): llama.cpp's
struct server_routes;        // NOLINT(readability-identifier-naming): llama.cpp's

namespace puna::worker {

// Every failure has OpenAI's shape: {"error": {"message", "type", "param", "code"}}. The objects must outlive the server.
void register_routes(server_http_context& http, const server_routes& routes, Mode mode, std::int64_t context_length);

}  // namespace puna::worker
