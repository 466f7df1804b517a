#include "api/gateway.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/context_exchange.h"
#include "api/error_body.h"
#include "api/inference_end.h"
#include "base/log.h"
#include "base/settings_registry.h"
#include "net/http_client.h"
#include "net/sse.h"

namespace puna::api {
namespace {

using Monotonic = std::chrono::steady_clock;

constexpr std::string_view kChatTarget = "/v1/chat/completions";
constexpr Bytes kLargestErrorBody = mib(1);
constexpr Bytes kLargestAnswer = gib(1);

// Below its request's; a batch's line has none above it.
std::optional<telemetry::Trace> begin_trace(app::Workbench& workbench, const Inference& inference) {
  return inference.trace ? inference.trace->below() : workbench.tracer().begin();
}

// One request on its way to a worker and back.
struct Exchange {
  app::Workbench& workbench;
  Inference& inference;
  std::optional<telemetry::Trace> trace = begin_trace(workbench, inference);
  std::optional<fleet::Lease> lease = {};
  UsageReader usage = {};
  wire::Overflow overflow = wire::Overflow::refuse;
  std::optional<wire::Dropped> dropped = {};  // to make the conversation fit
  std::optional<Error> cut = {};              // a stream that ended with an error event
  Monotonic::time_point arrived = Monotonic::now();
  std::optional<Monotonic::time_point> first_byte = {};
  Monotonic::time_point last_byte = arrived;

  void heard_from_engine() {
    last_byte = Monotonic::now();
    if (first_byte) return;
    first_byte = last_byte;
    lease->begun();
  }
};

net::HttpRequest worker_request(const Exchange& exchange) {
  auto request = exchange.lease->endpoint().request("POST", exchange.inference.target);
  request.headers.add("Content-Type", "application/json");
  const bool ours = !exchange.lease->socket().empty();
  if (exchange.trace && !ours) exchange.trace->write(request.headers);  // another server may have spans of its own
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

// Of a JSON object that has members already, without reading it again.
void add_member(std::string& body, const std::string& member) {
  if (const auto begin = body.find('{'); begin != std::string::npos) body.insert(begin + 1, member + ",");
}

net::Task<Result<>> take_lease(Exchange& exchange) {
  auto& inference = exchange.inference;
  PUNA_CO_TRY(const auto full_name, co_await exchange.workbench.full_name(inference.model));
  PUNA_CO_CHECK(exchange.workbench.access().may_use(inference.lease.client.id, inference.model, full_name));
  auto leased =
      co_await exchange.workbench.lease(inference.model, {inference.lease, inference.tools, inference.adapters, inference.context});
  if (!leased) co_return fail(std::move(leased).error());
  exchange.lease = std::move(leased->lease);
  exchange.overflow = inference.overflow.value_or(leased->overflow);
  if (leased->adapters) add_member(inference.body, app::lora_member(exchange.lease->adapters(), *leased->adapters));
  if (const auto& served = exchange.lease->endpoint().served_name; !served.empty()) {
    PUNA_CO_TRY(auto body, json::parse_object(inference.body));
    body["model"] = served;
    inference.body = json::to_text(body);
  }
  exchange.last_byte = Monotonic::now();
  if (inference.rendering)
    inference.rendering->begin({.model = exchange.lease->model(),
                                .request_id = inference.lease.request_id,
                                .arrived = exchange.arrived,
                                .waited = exchange.last_byte - exchange.arrived});
  co_return Result<>();
}

// How long the request waited for its slot, and its place in the queue when it came; 0: it need not wait.
void add_queue_headers(net::Headers& headers, const fleet::Lease& lease) {
  headers.set("X-Puna-Queue-Ms", std::to_string(lease.waited().count()));
  headers.set("X-Puna-Queue-Position", std::to_string(lease.arrived_at().value_or(0)));
}

net::Task<Result<net::HttpStream>> ask_once(Exchange& exchange) {
  auto answer = co_await exchange.workbench.http().open(worker_request(exchange));
  if (!answer) co_return fail(co_await exchange.lease->explain(answer.error()));
  if (answer->status() != 200) co_return fail(co_await read_refusal(*answer));
  exchange.heard_from_engine();
  co_return answer;
}

// An answer with status 200, or why there is none. A conversation that the engine finds too long is made shorter when that was asked for.
net::Task<Result<net::HttpStream>> ask_engine(Exchange& exchange) {
  const auto overflow = exchange.overflow;
  const bool can_fit = exchange.lease->endpoint().speaks_llama_cpp;  // it counts tokens for us
  if (overflow == wire::Overflow::refuse || exchange.inference.target != kChatTarget || !can_fit) co_return co_await ask_once(exchange);
  const std::string body = exchange.inference.body;
  auto answer = co_await ask_once(exchange);
  if (answer || !is_context_exceeded(answer.error())) co_return answer;
  PUNA_CO_TRY(auto conversation, json::parse_object(body));
  const auto tools = context_tools(exchange.workbench.http(), exchange.lease->socket());
  PUNA_CO_TRY(auto fitted, co_await fit_into_context(std::move(conversation), overflow, exchange.lease->context_length(), tools));
  exchange.inference.body = json::to_text(fitted.body);
  exchange.dropped = std::move(fitted.dropped);
  co_return co_await ask_once(exchange);
}

net::Task<Result<std::string>> read_whole(Exchange& exchange, net::Responder* /*responder*/) {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  PUNA_CO_TRY(auto answer, co_await ask_engine(exchange));
  auto body = co_await answer.read_all(kLargestAnswer);
  if (!body) co_return fail(co_await exchange.lease->explain(body.error()));
  exchange.usage.whole(*body);
  co_return body;
}

// How the engine's stream reaches the client: as it is, or rendered.
class StreamWriter {
 public:
  StreamWriter(Exchange& exchange, net::Responder& responder)
      : usage_(exchange.usage), rendering_(exchange.inference.rendering.get()), responder_(responder), dropped_(exchange.dropped) {
    if (dropped_ && !rendering_) teller_.emplace(*dropped_);
  }

  net::Task<Result<>> start(const fleet::Lease& lease) {
    net::Headers headers = rendering_ ? rendering_->stream_headers() : net::Headers();
    add_queue_headers(headers, lease);
    if (dropped_) tell_dropped(headers, *dropped_);
    if (!rendering_) co_return co_await responder_.start_sse(std::move(headers));
    co_return co_await responder_.start(200, std::move(headers));
  }
  // What the client gets for a piece of the engine's stream; valid until the next call. An error is the engine's.
  Result<std::string_view> render(std::string_view bytes) {
    usage_.feed(bytes);
    if (teller_) {
      PUNA_TRY(rendered_, teller_->feed(bytes));
      return rendered_;
    }
    if (!rendering_) return bytes;
    rendered_.clear();
    bool any = false;
    Result<> outcome;
    PUNA_CHECK(parser_.feed(bytes, [&](const net::SseEvent& event) {
      any = true;
      if (outcome) outcome = render_event(event.data);
    }));
    PUNA_CHECK(outcome);
    if (!any && bytes.starts_with(':')) rendered_ = rendering_->ping();
    if (dropped_) rendered_ = tell_dropped_in_stream(rendered_, *dropped_);
    return rendered_;
  }
  net::Task<Result<>> write(std::string_view bytes) {
    if (bytes.empty()) co_return Result<>();
    co_return co_await responder_.write(bytes);
  }
  net::Task<Result<>> finish() {
    std::string last = rendering_ ? rendering_->finish() : std::string();
    if (dropped_) last = tell_dropped_in_stream(last, *dropped_);
    PUNA_CO_CHECK(co_await write(last));
    co_return co_await responder_.finish();
  }
  // An error after the first byte of a stream can only be told inside it.
  net::Task<Result<>> finish_with(const Error& error) {
    const std::string last = rendering_ ? rendering_->failure(error) : net::sse_frame("", "", json::to_text(openai_error(error)));
    PUNA_CO_CHECK(co_await write(last));
    co_return co_await responder_.finish();
  }

 private:
  Result<> render_event(std::string_view data) {
    if (data == "[DONE]") return {};
    PUNA_TRY(const auto chunk, json::parse_object(data));
    if (chunk.contains("error")) return fail(engine_error(500, data));
    PUNA_TRY(const auto rendered, rendering_->chunk(chunk));
    rendered_ += rendered;
    return {};
  }

  UsageReader& usage_;
  Rendering* rendering_;
  net::Responder& responder_;
  std::optional<wire::Dropped> dropped_;
  std::optional<DroppedTeller> teller_;
  net::SseParser parser_;
  std::string rendered_;
};

net::Task<Result<>> relay_stream(Exchange& exchange, net::Responder* responder) {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  PUNA_CO_TRY(auto answer, co_await ask_engine(exchange));
  StreamWriter writer(exchange, *responder);
  PUNA_CO_CHECK(co_await writer.start(*exchange.lease));
  for (;;) {
    auto chunk = co_await answer.read();
    if (!chunk && chunk.error().code == Code::cancelled) co_return fail(chunk.error());
    if (!chunk) {
      exchange.cut = co_await exchange.lease->explain(chunk.error());
      break;
    }
    if (!*chunk) co_return co_await writer.finish();
    exchange.heard_from_engine();
    const auto rendered = writer.render(**chunk);
    if (!rendered) {
      exchange.cut = rendered.error();
      break;
    }
    PUNA_CO_CHECK(co_await writer.write(*rendered));
  }
  log::warning("api", "stream cut",
               {{"request", exchange.inference.lease.request_id}, {"model", exchange.lease->model()}, {"error", exchange.cut->text()}});
  co_return co_await writer.finish_with(*exchange.cut);
}

// Before its slot a staged request is silent for good reason, until it shall not have one. Then asks a silent worker for a sign of life; a
// hung one is killed by that, and the transfer then sees its connection break.
net::Task<Result<>> watch_silence(Exchange& exchange) {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  const Milliseconds limit = exchange.workbench.settings()->get(setting::kHangProbe);
  PUNA_CO_CHECK(co_await exchange.lease->slot());
  exchange.last_byte = std::max(exchange.last_byte, Monotonic::now());
  for (;;) {
    const auto silent = std::chrono::ceil<Milliseconds>(Monotonic::now() - exchange.last_byte);
    if (silent < limit) {
      PUNA_CO_CHECK(co_await net::sleep_for(limit - silent));
      continue;
    }
    const auto alive = co_await exchange.lease->probe();
    if (!alive && alive.error().code == Code::cancelled) co_return fail(alive.error());
    exchange.last_byte = Monotonic::now();
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

template <class T>
net::Task<Result<T>> supervised(Exchange& exchange, net::Task<Result<T>> work) {
  using namespace net::asio::experimental::awaitable_operators;
  auto first = co_await (std::move(work) || watch_silence(exchange));
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  co_return fail(std::get<1>(first).error());
}

// What a saved conversation is restored into is a free slot: a request that may find its beginning saved comes when it has one.
bool may_be_staged(const Exchange& exchange) {
  const auto& inference = exchange.inference;
  if (inference.lease.staging == fleet::Staging::never) return false;
  const auto settings = exchange.workbench.settings();
  if (inference.lease.purpose != fleet::Purpose::generate || settings->get(setting::kWarmDisk) == Bytes(0)) return true;
  if (inference.target == kChatTarget) return !inference.body.contains(R"("assistant")");
  return inference.body.size() < static_cast<std::size_t>(settings->get(setting::kWarmLeast));
}

// Leases a worker and does the work with it. What a worker had not begun with when it ended is done by the next one.
template <class T>
net::Task<Result<T>> with_worker(Exchange& exchange, net::Task<Result<T>> (*work)(Exchange&, net::Responder*), net::Responder* responder) {
  if (!may_be_staged(exchange)) exchange.inference.lease.staging = fleet::Staging::never;
  std::string body = exchange.inference.lease.staging == fleet::Staging::allowed ? exchange.inference.body : std::string();
  PUNA_CO_CHECK(co_await take_lease(exchange));
  auto done = co_await supervised(exchange, work(exchange, responder));
  if (done || exchange.first_byte || exchange.lease->has_slot()) co_return done;
  const Code code = done.error().code;
  if (code != Code::unavailable && code != Code::upstream_failed) co_return done;
  // ignored: whether the worker has ended is what it tells
  (void)co_await exchange.lease->slot();
  if (!exchange.lease->lost()) co_return done;
  exchange.inference.body = std::move(body);
  exchange.inference.lease.staging = fleet::Staging::never;
  PUNA_CO_CHECK(co_await take_lease(exchange));
  co_return co_await supervised(exchange, work(exchange, responder));
}

net::Task<Result<std::string>> whole_answer(Exchange& exchange) {
  return with_worker<std::string>(exchange, read_whole, nullptr);
}

net::Task<Result<>> deliver(Exchange& exchange, net::Responder& responder) {
  if (exchange.inference.stream) {
    co_return co_await with_worker<void>(exchange, relay_stream, &responder);
  }
  PUNA_CO_TRY(auto body, co_await whole_answer(exchange));
  net::Response response{200, {{"Content-Type", "application/json"}}, std::move(body)};
  if (exchange.inference.rendering) {
    PUNA_CO_TRY(const auto answer, json::parse_object(response.body));
    PUNA_CO_TRY(response, exchange.inference.rendering->whole(answer));
  }
  add_queue_headers(response.headers, *exchange.lease);
  if (exchange.dropped) {
    tell_dropped(response.headers, *exchange.dropped);
    response.body = tell_dropped(std::move(response.body), *exchange.dropped);
  }
  co_return co_await responder.send(std::move(response));
}

InferenceOutcome outcome_of(const Error& error, const net::Responder* responder) {
  if (error.code == Code::cancelled) return InferenceOutcome::cancelled;
  // What fails after the answer has begun, and was not told in it, is the client's connection.
  if (responder && responder->started()) return InferenceOutcome::cancelled;
  return traits(error.code).http_status < 500 ? InferenceOutcome::refused : InferenceOutcome::failed;
}

void report_end(const Exchange& exchange, const std::optional<Error>& error, const net::Responder* responder) {
  const auto& inference = exchange.inference;
  InferenceEnd end{.lease = inference.lease,
                   .model = exchange.lease ? exchange.lease->model() : inference.model,
                   .asked = inference.model,
                   .target = inference.target,
                   .stream = inference.stream,
                   .usage = exchange.usage.usage(),
                   .waited = exchange.lease ? exchange.lease->waited() : Milliseconds(0),
                   .when = {.arrived = exchange.arrived,
                            .slot = exchange.lease ? exchange.lease->slot_at() : std::nullopt,
                            .load = exchange.lease ? std::optional(exchange.lease->load()) : std::nullopt,
                            .first_byte = exchange.first_byte,
                            .ended = Monotonic::now()},
                   .trace = exchange.trace};
  if (exchange.cut) {
    end.outcome = InferenceOutcome::failed;
    end.error = exchange.cut;
  } else if (error) {
    end.outcome = outcome_of(*error, responder);
    end.error = error;
  }
  report(exchange.workbench, end);
}

// Whose request it is.
void claim(const Call& call, Inference& inference) {
  const auto& caller = call.caller();
  inference.lease.request_id = call.request().id;
  inference.lease.client = {.id = caller.id, .weight = caller.weight};
  inference.lease.priority = priority_of(caller);
  inference.trace = call.trace();
}

template <class T>
std::optional<Error> error_in(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

}  // namespace

net::Task<Result<>> infer(Call& call, Inference inference) {
  claim(call, inference);
  Exchange exchange{.workbench = call.workbench(), .inference = inference};
  const auto delivered = co_await deliver(exchange, call.responder());
  report_end(exchange, error_in(delivered), &call.responder());
  co_return delivered;
}

net::Task<Result<std::string>> infer_whole(Call& call, Inference inference) {
  claim(call, inference);
  co_return co_await infer_whole(call.workbench(), std::move(inference));
}

net::Task<Result<std::string>> infer_whole(app::Workbench& workbench, Inference inference) {
  Exchange exchange{.workbench = workbench, .inference = inference};
  auto answer = co_await whole_answer(exchange);
  report_end(exchange, error_in(answer), nullptr);
  co_return answer;
}

}  // namespace puna::api
