#include "client/transport.h"

#include "base/version.h"
#include "wire/error.h"

namespace puna::client {
namespace {

constexpr bool is_success(int status) {
  return status >= 200 && status < 300;
}

net::ClientOptions http_options() {
  net::ClientOptions options;
  options.user_agent = fmt::format("puna/{}", version());
  return options;
}

Error broken_off(Error error) {
  if (error.code == Code::unavailable)
    error.message = fmt::format("the daemon broke the connection off ({}); `puna logs` may tell why", error.message);
  return error;
}

}  // namespace

net::Task<Result<std::optional<net::SseEvent>>> EventStream::next() {
  while (ready_.empty()) {
    auto bytes_or_error = co_await stream_.read();
    if (!bytes_or_error) co_return fail(broken_off(std::move(bytes_or_error).error()));
    const auto& bytes = *bytes_or_error;
    if (!bytes) co_return std::nullopt;
    PUNA_CO_CHECK(parser_.feed(*bytes, [this](net::SseEvent event) { ready_.push_back(std::move(event)); }));
  }
  net::SseEvent event = std::move(ready_.front());
  ready_.pop_front();
  co_return event;
}

std::string not_understood(const Error& error) {
  return fmt::format("the daemon's answer was not understood ({}); if it is of another version, `puna serve --stop` ends it", error.text());
}

Transport::Transport(net::Io& io, Address address) : address_(std::move(address)), http_(io, http_options()) {}

net::HttpRequest Transport::request(Call call) const {
  net::HttpRequest request;
  if (address_.url) {
    request.url = *address_.url;
    const std::size_t mark = call.target.find('?');
    request.url.path += call.target.substr(0, mark);
    if (mark != std::string::npos) request.url.query = call.target.substr(mark + 1);
    request.method = std::move(call.method);
  } else {
    request = net::HttpRequest::to_socket(address_.socket, std::move(call.method), call.target);
  }
  if (call.body) {
    request.headers.set("Content-Type", "application/json");
    request.body = json::to_text(*call.body);
  }
  request.deadlines = call.deadlines;
  return request;
}

Error Transport::explain(Error error) const {
  if (error.code != Code::unavailable) return error;
  if (address_.is_own() && !is_listening(address_.socket))
    return {Code::unavailable, fmt::format("no daemon answers at {}; start one with `puna serve`", address_.text())};
  if (address_.is_own()) return broken_off(std::move(error));
  error.message = fmt::format("no daemon answers at {} ({}); check PUNA_HOST", address_.text(), error.message);
  return error;
}

net::Task<Result<json::value>> Transport::call(Call call) {
  auto response = co_await http_.fetch(request(std::move(call)));
  if (!response) co_return fail(explain(std::move(response).error()));
  if (!is_success(response->status)) co_return fail(wire::from_wire(response->status, response->body));
  if (response->body.empty()) co_return json::value(json::object());
  auto body = json::parse(response->body);
  if (!body) co_return fail(Code::upstream_failed, fmt::format("{} does not answer like Puna: {}", address_.text(), body.error().text()));
  co_return std::move(*body);
}

net::Task<Result<EventStream>> Transport::open(Call call) {
  auto stream = co_await http_.open(request(std::move(call)));
  if (!stream) co_return fail(explain(std::move(stream).error()));
  if (!is_success(stream->status())) {
    const int status = stream->status();
    auto body = co_await stream->read_all(mib(1));
    co_return fail(wire::from_wire(status, body ? *body : std::string()));
  }
  co_return EventStream(std::move(*stream));
}

}  // namespace puna::client
