// An answer of the engine in another dialect than its own.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "net/http_types.h"

namespace puna::api {

// What is known once a worker has been found for a request.
struct Begun {
  std::string model;  // the full name
  std::string request_id;
  std::chrono::steady_clock::time_point arrived;
  std::chrono::steady_clock::duration waited{0};  // for the worker, the load of the model included
};

// The engine answers in OpenAI's dialect; this makes of it what the client speaks. One object for one request, on the network thread.
// Errors before the first byte are rendered by error_response() in the route's dialect.
class Rendering {
 public:
  virtual ~Rendering() = default;

  // Called once, before anything else.
  virtual void begin(const Begun& begun) = 0;
  // A whole answer.
  [[nodiscard]] virtual Result<net::Response> whole(const json::object& answer) = 0;

  // A stream: its headers (Content-Type among them), the bytes for each chunk of the engine's, and those that end it. Empty: nothing is
  // sent.
  [[nodiscard]] virtual net::Headers stream_headers() const = 0;
  [[nodiscard]] virtual Result<std::string> chunk(const json::object& chunk) = 0;
  [[nodiscard]] virtual std::string finish() = 0;
  // The engine lives, and has nothing to say for a while.
  [[nodiscard]] virtual std::string ping() { return {}; }
  // The last bytes of a stream that an error cuts.
  [[nodiscard]] virtual std::string failure(const Error& error) = 0;
};

}  // namespace puna::api
