// One request on its way through a route's handler.
#pragma once

#include <string>
#include <string_view>

#include "access/caller.h"
#include "api/host.h"
#include "app/workbench.h"
#include "base/json.h"
#include "net/http_server.h"
#include "telemetry/trace.h"

namespace puna::api {

class Call {
 public:
  Call(app::Workbench& workbench, Host& host, net::ServerRequest& request, net::Responder& responder, access::Caller caller,
       std::optional<telemetry::Trace> trace)
      : workbench_(workbench),
        host_(host),
        request_(request),
        responder_(responder),
        caller_(std::move(caller)),
        trace_(std::move(trace)) {}

  [[nodiscard]] app::Workbench& workbench() { return workbench_; }
  [[nodiscard]] Host& host() { return host_; }
  [[nodiscard]] const net::ServerRequest& request() const { return request_; }
  // The body, which the request no longer has then: a long one is held once.
  [[nodiscard]] std::string take_body() { return std::exchange(request_.body, {}); }
  [[nodiscard]] const access::Caller& caller() const { return caller_; }
  [[nodiscard]] const std::optional<telemetry::Trace>& trace() const { return trace_; }  // absent: nobody is told spans
  [[nodiscard]] net::Responder& responder() { return responder_; }

  // A parameter of the route's path, decoded.
  [[nodiscard]] const std::string& path_parameter(std::string_view name) const;
  // Code::invalid_argument unless the parameter is absent or a number within the bounds.
  [[nodiscard]] Result<std::uint64_t> number(std::string_view query_name, std::uint64_t absent, std::uint64_t max) const;

  // False when the parameter is absent; Code::invalid_argument unless it is true or false.
  [[nodiscard]] Result<bool> flag(std::string_view query_name) const;

  // The body as a described struct; the error names the field.
  template <class T>
  [[nodiscard]] Result<T> body() const {
    return json::decode_text<T>(request_.body.empty() ? "{}" : std::string_view(request_.body));
  }
  // Runs what blocks (the store, files) on the pool.
  template <class F>
  [[nodiscard]] auto blocking(F function) {
    return net::on_pool(workbench_.io(), std::move(function));
  }
  template <class T>
  [[nodiscard]] net::Task<Result<>> reply(T value, int status = 200) {
    return responder_.send(net::json_response(status, json::encode(value)));
  }

 private:
  app::Workbench& workbench_;
  Host& host_;
  net::ServerRequest& request_;
  net::Responder& responder_;
  const access::Caller caller_;
  const std::optional<telemetry::Trace> trace_;
};

}  // namespace puna::api
