// A prompt that a worker refused for its length, and what an answer says when messages were left out of it.
#pragma once

#include <filesystem>
#include <string>

#include "api/context_fit.h"
#include "base/json.h"
#include "net/http_client.h"
#include "net/http_types.h"
#include "net/sse.h"

namespace puna::api {

// Both, of a worker behind that socket. The client must outlive it.
[[nodiscard]] ContextTools context_tools(net::HttpClient& http, std::filesystem::path socket);

// "X-Puna-Dropped: messages=4, tokens=812, strategy=shift"
void tell_dropped(net::Headers& headers, const wire::Dropped& dropped);
// Adds the member `puna` to a body that is a JSON object; another body stays as it is.
[[nodiscard]] std::string tell_dropped(std::string body, const wire::Dropped& dropped);

// The same in whole lines of a stream of another dialect: in Anthropic's event that says why the answer ended ("message_delta"), and in
// Ollama's line that says that it is done.
[[nodiscard]] std::string tell_dropped_in_stream(std::string_view lines, const wire::Dropped& dropped);

// Tells it in the last chunk of a choice, in a stream of OpenAI's chunks.
class DroppedTeller {
 public:
  explicit DroppedTeller(wire::Dropped dropped) : dropped_(std::move(dropped)) {}
  // The stream so far; whole events only.
  [[nodiscard]] Result<std::string> feed(std::string_view bytes);

 private:
  wire::Dropped dropped_;
  net::SseParser parser_;
};

}  // namespace puna::api
