// Questions to a catalogue's servers, and what their refusals mean.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/secret.h"
#include "hub/catalogues/spec.h"
#include "net/http_client.h"

namespace puna::hub {

// One server that can answer.
struct Endpoint {
  net::Url url;
  Secret token;  // its own; empty: ask as a stranger
};

struct Question {
  std::string what;      // for messages: "owner/repo", "the search"
  std::string target;    // path and query behind the endpoint: "/api/models?…"
  net::Headers headers;  // besides Authorization
  Bytes limit = mib(32);
};

struct Answer {
  net::HttpResponse response;
  std::size_t endpoint = 0;  // which of them gave it
};

// What a refusal of one catalogue means.
using Refusal = std::function<Error(const Question& question, const Endpoint& endpoint, const net::HttpResponse& response)>;

// The first endpoint that gives a definite answer; the next one is asked when one cannot be reached, fails, or gives a web page instead
// of data. The error is that of the first when none answers. Network thread.
[[nodiscard]] net::Task<Result<Answer>> ask(const Access& access, std::vector<Endpoint> endpoints, Question question, Refusal refusal);
// The same, as JSON.
struct JsonAnswer {
  json::value body;
  net::Headers headers;
  std::size_t endpoint = 0;
};
[[nodiscard]] net::Task<Result<JsonAnswer>> ask_json(const Access& access, std::vector<Endpoint> endpoints, Question question,
                                                     Refusal refusal);

// The URL of a target behind an endpoint, whose own path stays in front.
[[nodiscard]] Result<net::Url> behind(const net::Url& endpoint, std::string_view target);
[[nodiscard]] net::Headers authorization(const Secret& token);

// Says what every catalogue says alike: 429 with the wait, the server's own fault, what is left; with the request's ID.
[[nodiscard]] Error usual_refusal(const Question& question, const Endpoint& endpoint, const net::HttpResponse& response);
// " (request 1-abc)", or nothing.
[[nodiscard]] std::string request_id(const net::Headers& headers);
// How long a RateLimit or Retry-After header asks to wait.
[[nodiscard]] std::optional<Milliseconds> wanted_wait(const net::Headers& headers);
// What the body or X-Error-Message says, one line, at most 300 bytes.
[[nodiscard]] std::string said(const net::HttpResponse& response);

// The rel="next" URL of a Link header.
[[nodiscard]] std::optional<std::string> next_link(const net::Headers& headers);

// A time as others write it, as the API writes it: "2026-10-02T03:04:05Z" has milliseconds here.
[[nodiscard]] std::optional<std::string> time_at(const json::object& object, std::string_view name);
// Members of foreign JSON; absent when missing or of another kind.
[[nodiscard]] std::optional<std::string> text_at(const json::object& object, std::string_view name);
[[nodiscard]] std::optional<std::int64_t> integer_at(const json::object& object, std::string_view name);
[[nodiscard]] const json::object* object_at(const json::object& object, std::string_view name);
[[nodiscard]] const json::array* array_at(const json::object& object, std::string_view name);

}  // namespace puna::hub
