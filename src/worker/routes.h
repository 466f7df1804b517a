// Which of llama.cpp's HTTP routes a worker answers, and how their failures look.
#pragma once

#include <cstdint>

#include "worker/arguments.h"

struct server_http_context;
struct server_routes;

namespace puna::worker {

// Every failure has OpenAI's shape: {"error": {"message", "type", "param", "code"}}. The objects must outlive the server.
void register_routes(server_http_context& http, const server_routes& routes, Mode mode, std::int64_t context_length);

}  // namespace puna::worker
