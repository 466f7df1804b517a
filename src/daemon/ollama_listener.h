// A further listener, where Ollama's clients look for Ollama.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "net/http_server.h"
#include "net/io.h"

namespace puna::daemon {

// On 127.0.0.1. Says "Ollama is running" at / and leaves all else to the daemon's handler.
class OllamaListener {
 public:
  // Code::conflict names the process that holds the port.
  [[nodiscard]] static Result<std::unique_ptr<OllamaListener>> open(net::Io& io, net::ServerOptions options, net::Handler handler,
                                                                    std::uint16_t port);
  [[nodiscard]] net::HttpServer& server() { return *server_; }
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  explicit OllamaListener(net::Handler handler) : handler_(std::move(handler)) {}
  net::Task<void> handle(net::ServerRequest& request, net::Responder& responder);

  net::Handler handler_;
  std::unique_ptr<net::HttpServer> server_;
  std::string address_;
};

}  // namespace puna::daemon
