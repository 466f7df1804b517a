#include "daemon/ollama_listener.h"

#include <fmt/format.h>

#include "base/log.h"

namespace puna::daemon {

Result<std::unique_ptr<OllamaListener>> OllamaListener::open(net::Io& io, net::ServerOptions options, net::Handler handler,
                                                             std::uint16_t port) {
  std::unique_ptr<OllamaListener> out(new OllamaListener(std::move(handler)));
  out->server_ = std::make_unique<net::HttpServer>(
      io, std::move(options),
      [self = out.get()](net::ServerRequest& request, net::Responder& responder) { return self->handle(request, responder); });
  PUNA_TRY(const auto endpoint, out->server_->listen_tcp("127.0.0.1", port));
  out->address_ = fmt::format("{}:{}", endpoint.address, endpoint.port);
  return out;
}

net::Task<void> OllamaListener::handle(net::ServerRequest& request, net::Responder& responder) {
  if (request.path != "/" || (request.method != "GET" && request.method != "HEAD")) {
    co_await handler_(request, responder);
    co_return;
  }
  const auto sent = co_await responder.send({200, {{"Content-Type", "text/plain; charset=utf-8"}}, "Ollama is running"});
  if (!sent) log::debug("daemon", "greeting not delivered", {{"error", sent.error().text()}});
}

}  // namespace puna::daemon
