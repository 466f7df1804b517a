#include "api/service.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/error_body.h"
#include "api/openai/batch_line.h"
#include "api/request_spans.h"
#include "base/log.h"
#include "base/text.h"

namespace puna::api {

using namespace net::asio::experimental::awaitable_operators;

namespace {

net::Task<Result<>> handle_with(net::Task<Result<>> (*handle)(Call&), Call& call) {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  co_return co_await handle(call);
}

// What looks every few seconds how the daemon is would drown the rest.
bool is_told(const Route& route) {
  return !route.open && route.scope != wire::Scope::metrics;
}

}  // namespace

Service::Service(app::Workbench& workbench, Host& host) : workbench_(workbench), host_(host), router_(routes()) {
  workbench.batches().answer_with([&workbench](batch::Request request) { return openai::answer_line(workbench, std::move(request)); });
}

net::Handler Service::handler() {
  return [this](net::ServerRequest& request, net::Responder& responder) { return handle(request, responder); };
}

std::optional<Bytes> Service::streamed_body(const net::ServerRequest& request) const {
  const auto match = router_.match(request.method, request.path);
  if (!match || match->route->streamed_body == nullptr) return std::nullopt;
  return match->route->streamed_body(*workbench_.settings());
}

std::optional<Error> Service::admit(const net::ServerRequest& request) {
  const auto match = router_.match(request.method, request.path);
  if (match && match->route->open) return std::nullopt;
  const auto caller = workbench_.access().gate().admit(request.peer, request.headers);
  if (caller) return std::nullopt;
  log::info("api", "refused",
            {{"request", request.id}, {"path", request.path}, {"from", request.peer.address}, {"error", caller.error().message}});
  workbench_.access().request_log().add(request.id, {{"from", request.peer.address},
                                                     {"method", printable(request.method)},
                                                     {"route", match ? match->route->path : std::string_view()},
                                                     {"status", traits(caller.error().code).http_status},
                                                     {"error", to_string(caller.error().code)}});
  return caller.error();
}

net::Response Service::format_error(int status, const Error& error, const net::ServerRequest& request) {
  return error_response(dialect_of(request), status, error, request.id);
}

net::Task<Result<>> Service::run(net::ServerRequest& request, net::Responder& responder, Account& account) {
  auto& access = workbench_.access();
  auto match = router_.match(request.method, request.path);
  if (!match || is_told(*match->route)) account.trace = workbench_.tracer().begin(request.headers);
  access::Caller caller;
  if (!match || !match->route->open) {
    PUNA_CO_TRY(caller, access.gate().identify(request.peer, request.headers));
    account.client = caller.id;
    PUNA_CO_CHECK(match);
    account.route = match->route->path;
    PUNA_CO_CHECK(access::require_scope(caller, match->route->scope.value_or(wire::Scope::admin)));
  }
  account.route = match->route->path;
  request.path_parameters = std::move(match->parameters);
  if (caller.kind == access::CallerKind::key) access.note_key_use(caller.id);
  Call call(workbench_, host_, request, responder, std::move(caller), account.trace);
  const bool uses_model = match->route->scope == wire::Scope::inference && match->route->method == "POST";
  if (!uses_model) co_return co_await handle_for_caller(*match->route, call);
  const auto turn = access.begin(call.caller());
  for (auto& [name, value] : access.limit_headers(call.caller())) responder.add_header(std::move(name), std::move(value));
  if (!turn) co_return fail(turn.error());
  co_return co_await handle_for_caller(*match->route, call);
}

net::Task<Result<>> Service::handle_for_caller(const Route& route, Call& call) {
  if (call.caller().kind != access::CallerKind::key) co_return co_await route.handle(call);
  const auto first = co_await (handle_with(route.handle, call) || revocation_of(call.caller().id));
  co_return first.index() == 0 ? std::get<0>(first) : std::get<1>(first);
}

// Returns when the key is revoked.
net::Task<Result<>> Service::revocation_of(std::string key) {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  auto& keys = workbench_.access().keys();
  for (;;) {
    const auto seen = keys.revocations().epoch();
    if (keys.is_revoked(key)) co_return fail(Code::unauthenticated, "the API key was revoked");
    PUNA_CO_CHECK(co_await keys.revocations().wait(seen, kForever));
  }
}

net::Task<void> Service::handle(net::ServerRequest& request, net::Responder& responder) {
  auto& log = workbench_.access().request_log();
  RequestEnd end{.method = request.method, .path = request.path, .tls = host_.tls() && !request.peer.unix_socket, .id = request.id};
  end.began = std::chrono::steady_clock::now();
  log.begin(request.id);
  Account account;
  const auto outcome = co_await run(request, responder, account);
  if (!outcome) co_await tell(outcome.error(), request, responder);
  end.ended = std::chrono::steady_clock::now();
  log.end(request.id, {{"client", account.client},
                       {"from", request.peer.unix_socket ? std::string_view("socket") : std::string_view(request.peer.address)},
                       {"method", printable(request.method)},
                       {"route", account.route},
                       {"status", responder.status()},
                       {"duration_ms", std::chrono::round<Milliseconds>(end.ended - end.began).count()}});
  if (!account.trace) co_return;
  end.route = account.route;
  end.status = responder.status();
  workbench_.tracer().record(*account.trace, request_span(*account.trace, end));
}

net::Task<void> Service::tell(const Error& error, net::ServerRequest& request, net::Responder& responder) {
  if (error.code == Code::cancelled) {
    log::debug("api", "client left", {{"request", request.id}, {"path", request.path}});
    co_return;
  }
  log::write(error.code == Code::internal ? log::Level::error : log::Level::info, "api", "request failed",
             {{"request", request.id}, {"path", request.path}, {"code", to_string(error.code)}, {"error", error.text()}});
  if (responder.started()) co_return;  // the connection breaks, which is how a cut answer shows
  const auto dialect = dialect_of(request);
  const auto sent = co_await responder.send(error_response(dialect, error, request.id));
  if (!sent) log::debug("api", "error answer not delivered", {{"request", request.id}, {"error", sent.error().text()}});
}

}  // namespace puna::api
