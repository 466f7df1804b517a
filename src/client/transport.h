// Requests and event streams of the API, as coroutines on the network thread.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/json.h"
#include "client/address.h"
#include "net/http_client.h"
#include "net/sse.h"

namespace puna::client {

// How long the daemon may be silent. A model may take minutes to load, and a long prompt minutes to read.
inline constexpr net::Deadlines kQuickDeadlines{.connect = Milliseconds(5'000), .first_byte = Milliseconds(30'000)};
inline constexpr net::Deadlines kPatientDeadlines{
    .connect = Milliseconds(5'000), .first_byte = Milliseconds(3'600'000), .idle = Milliseconds(600'000)};
// The daemon sends a comment into a quiet event stream well before this passes.
inline constexpr net::Deadlines kStreamDeadlines{
    .connect = Milliseconds(5'000), .first_byte = Milliseconds(30'000), .idle = Milliseconds(90'000)};

struct Call {
  std::string method = "GET";
  std::string target;  // path and query, escaped
  std::optional<json::value> body = std::nullopt;
  net::Deadlines deadlines = kQuickDeadlines;
};

// Server-sent events as they arrive. Dropping it ends the request, and with it what the daemon does for it.
class EventStream {
 public:
  explicit EventStream(net::HttpStream stream) : stream_(std::move(stream)) {}
  // nullopt at the stream's orderly end; Code::unavailable when the connection breaks.
  [[nodiscard]] net::Task<Result<std::optional<net::SseEvent>>> next();

 private:
  net::HttpStream stream_;
  net::SseParser parser_;
  std::deque<net::SseEvent> ready_;
};

// For an answer of another shape than ours.
[[nodiscard]] std::string not_understood(const Error& error);

class Transport {
 public:
  Transport(net::Io& io, Address address);

  [[nodiscard]] const Address& address() const { return address_; }

  // The answer's body. An answer that is a failure is the Error it describes; no answer is Code::unavailable, saying what to do.
  [[nodiscard]] net::Task<Result<json::value>> call(Call call);
  template <class T>
  [[nodiscard]] net::Task<Result<T>> call_as(Call call) {
    auto body = co_await this->call(std::move(call));
    if (!body) co_return fail(std::move(body).error());
    auto decoded = json::decode<T>(*body, json::Unknown::ignore);  // a newer daemon may say more
    if (!decoded) co_return fail(Code::upstream_failed, not_understood(decoded.error()));
    co_return std::move(*decoded);
  }
  [[nodiscard]] net::Task<Result<EventStream>> open(Call call);

 private:
  [[nodiscard]] net::HttpRequest request(Call call) const;
  [[nodiscard]] Error explain(Error error) const;

  Address address_;
  net::HttpClient http_;
};

}  // namespace puna::client
