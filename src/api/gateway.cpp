#include "api/gateway.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/error_body.h"
#include "base/log.h"
#include "base/settings_registry.h"
#include "net/http_client.h"
#include "net/sse.h"

namespace puna::api {
namespace {

using MonotonicPoint = std::chrono::steady_clock::time_point;

constexpr Bytes kLargestErrorBody = mib(1);
constexpr Bytes kLargestAnswer = gib(1);

// One request while it is with a worker.
struct Exchange {
  Call& call;
  fleet::Lease& lease;
  Inference& inference;
  MonotonicPoint last_byte = std::chrono::steady_clock::now();
};

net::HttpRequest worker_request(const Exchange& exchange) {
  auto request = net::HttpRequest::to_socket(exchange.lease.socket(), "POST", exchange.inference.target);
  request.headers.add("Content-Type", "application/json");
  request.body = std::move(exchange.inference.body);
  // A long prompt may take minutes before its first token: silence is judged by the probe, not by a deadline.
  request.deadlines = {.connect = Milliseconds(5000), .first_byte = kForever, .idle = kForever, .total = kForever};
  return request;
}

net::Task<Error> read_refusal(net::HttpStream& answer) {
  auto body = co_await answer.read_all(kLargestErrorBody);
  if (!body) co_return body.error();
  co_return engine_error(answer.status(), *body);
}

net::Task<Result<>> relay_whole(Exchange& exchange, net::HttpStream& answer) {
  PUNA_CO_TRY(auto body, co_await answer.read_all(kLargestAnswer));
  net::Response response{200, {{"Content-Type", "application/json"}}, std::move(body)};
  co_return co_await exchange.call.responder().send(std::move(response));
}

// An error after the first byte of a stream can only be told inside it.
net::Task<Result<>> end_stream_with(Exchange& exchange, const Error& error) {
  auto& responder = exchange.call.responder();
  PUNA_CO_CHECK(co_await responder.write(net::sse_frame("", "", json::to_text(openai_error(error)))));
  co_return co_await responder.finish();
}

net::Task<Result<>> relay_stream(Exchange& exchange, net::HttpStream& answer) {
  auto& responder = exchange.call.responder();
  PUNA_CO_CHECK(co_await responder.start_sse());
  for (;;) {
    auto chunk = co_await answer.read();
    if (!chunk && chunk.error().code == Code::cancelled) co_return fail(chunk.error());
    if (!chunk) {
      const Error error = co_await exchange.lease.explain(chunk.error());
      log::warning("api", "stream cut",
                   {{"request", exchange.call.request().id}, {"model", exchange.lease.model()}, {"error", error.text()}});
      co_return co_await end_stream_with(exchange, error);
    }
    if (!*chunk) co_return co_await responder.finish();
    exchange.last_byte = std::chrono::steady_clock::now();
    PUNA_CO_CHECK(co_await responder.write(**chunk));
  }
}

net::Task<Result<>> relay(Exchange& exchange) {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  auto answer = co_await exchange.call.workbench().http().open(worker_request(exchange));
  if (!answer) co_return fail(co_await exchange.lease.explain(answer.error()));
  if (answer->status() != 200) co_return fail(co_await read_refusal(*answer));
  if (exchange.inference.stream) co_return co_await relay_stream(exchange, *answer);
  auto relayed = co_await relay_whole(exchange, *answer);
  if (!relayed && !exchange.call.responder().started()) co_return fail(co_await exchange.lease.explain(relayed.error()));
  co_return relayed;
}

// Asks a silent worker for a sign of life; a hung one is killed by that, and relay() then sees its connection break.
net::Task<Result<>> watch_silence(Exchange& exchange) {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  const Milliseconds limit = exchange.call.workbench().settings()->get(setting::kHangProbe);
  for (;;) {
    const auto silent = std::chrono::ceil<Milliseconds>(std::chrono::steady_clock::now() - exchange.last_byte);
    if (silent < limit) {
      PUNA_CO_CHECK(co_await net::sleep_for(limit - silent));
      continue;
    }
    const auto alive = co_await exchange.lease.probe();
    if (!alive && alive.error().code == Code::cancelled) co_return fail(alive.error());
    exchange.last_byte = std::chrono::steady_clock::now();
  }
}

fleet::Priority priority_of(const access::Caller& caller) {
  switch (caller.priority) {
    case wire::Priority::low:
      return fleet::Priority::low;
    case wire::Priority::normal:
      return fleet::Priority::normal;
    case wire::Priority::high:
      return fleet::Priority::high;
  }
}

}  // namespace

net::Task<Result<>> infer(Call& call, Inference inference) {
  using namespace net::asio::experimental::awaitable_operators;
  const auto& caller = call.caller();
  app::Workbench::Need need{{.purpose = inference.purpose,
                             .request_id = call.request().id,
                             .client = {.id = caller.id, .weight = caller.weight},
                             .priority = priority_of(caller)},
                            inference.tools};
  if (inference.keep_alive) {
    PUNA_CO_TRY(need.options.keep_alive, parse_duration(*inference.keep_alive));
  }
  PUNA_CO_TRY(auto lease, co_await call.workbench().lease(inference.model, std::move(need)));
  Exchange exchange{call, lease, inference};
  const auto first = co_await (relay(exchange) || watch_silence(exchange));
  co_return first.index() == 0 ? std::get<0>(first) : std::get<1>(first);
}

}  // namespace puna::api
