// The API as an HTTP handler.
#pragma once

#include "api/router.h"
#include "app/workbench.h"
#include "net/http_server.h"

namespace puna::api {

// Finds the route, runs it, and turns an Error into the dialect's answer. Network thread.
class Service {
 public:
  Service(app::Workbench& workbench, Host& host);

  [[nodiscard]] net::Handler handler();
  // For ServerOptions: the routes that read their body themselves.
  [[nodiscard]] std::optional<Bytes> streamed_body(const net::ServerRequest& request) const;
  // For ServerOptions: whether the caller may come in at all, judged before its body is read.
  [[nodiscard]] std::optional<Error> admit(const net::ServerRequest& request);
  // For answers that the HTTP server gives by itself, in the dialect of the path that was asked for.
  [[nodiscard]] static net::Response format_error(int status, const Error& error, const net::ServerRequest& request);

 private:
  net::Task<void> handle(net::ServerRequest& request, net::Responder& responder);
  struct Account {  // for the request log and the spans
    std::string client;
    std::string_view route;
    std::optional<telemetry::Trace> trace = {};
  };
  net::Task<Result<>> run(net::ServerRequest& request, net::Responder& responder, Account& account);
  // Ends with Code::unauthenticated when the caller's key is revoked meanwhile.
  net::Task<Result<>> handle_for_caller(const Route& route, Call& call);
  net::Task<void> tell(const Error& error, net::ServerRequest& request, net::Responder& responder);
  net::Task<Result<>> revocation_of(std::string key);

  app::Workbench& workbench_;
  Host& host_;
  Router router_;
};

}  // namespace puna::api
