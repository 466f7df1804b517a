#include "api/service.h"

#include "api/error_body.h"
#include "api/openai/batch_line.h"
#include "base/log.h"

namespace puna::api {

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

net::Response Service::format_error(int status, const Error& error, const net::ServerRequest& request) {
  return error_response(dialect_of(request), status, error, request.id);
}

net::Task<Result<>> Service::run(net::ServerRequest& request, net::Responder& responder) {
  auto caller = access::caller_without_key(request.peer);
  PUNA_CO_TRY(auto match, router_.match(request.method, request.path));
  if (!match.route->open) PUNA_CO_CHECK(access::require_scope(caller, match.route->scope.value_or(wire::Scope::admin)));
  request.path_parameters = std::move(match.parameters);
  Call call(workbench_, host_, request, responder, std::move(caller));
  co_return co_await match.route->handle(call);
}

net::Task<void> Service::handle(net::ServerRequest& request, net::Responder& responder) {
  const auto outcome = co_await run(request, responder);
  if (outcome) co_return;
  const Error& error = outcome.error();
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
