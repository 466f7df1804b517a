// Whether a server that tells us nothing by itself is ready.
#pragma once

#include <functional>
#include <string>

#include "fleet/endpoint.h"
#include "net/http_client.h"
#include "net/io.h"

namespace puna::fleet {

struct Waiting {
  std::string health;  // empty: /health, else /v1/models
  Milliseconds deadline{0};
  std::function<bool()> wanted;  // false: nobody waits for it any more
  net::Notifier& changed;        // told when that may have changed
};

// Asks, at longer and longer intervals, until it answers with 200. Code::unauthenticated when it wants another key; Code::cancelled when
// it is not wanted any more; Code::deadline_exceeded with what it said last.
[[nodiscard]] net::Task<Result<>> wait_until_serving(net::HttpClient& http, const Endpoint& endpoint, Waiting waiting);

}  // namespace puna::fleet
