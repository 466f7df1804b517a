// What a server's connections share. Network thread only.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <unordered_set>

#include "net/access_rules.h"
#include "net/http_server.h"

namespace puna::net {

// Of TCP and Unix sockets alike; the concrete executor spares a virtual call an operation.
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;

class Listener;
class TlsIdentity;

struct HttpServer::Core : std::enable_shared_from_this<HttpServer::Core> {
  Core(Io& network, ServerOptions given, Handler on_request);

  Io& io;
  ServerOptions options;
  Handler handler;
  AccessRules rules;
  std::shared_ptr<TlsIdentity> identity;  // of connections from now on; null: no listener speaks TLS
  ServerStats stats;
  std::function<void()> activity;
  std::vector<std::shared_ptr<Listener>> listeners;  // shared with the coroutines that accept
  std::unordered_set<Connection*> connections;
  std::size_t refused_connections = 0;  // being told that there are too many
  bool draining = false;
  Wakeup connection_ended;

  // The text of an answer the server gives itself.
  [[nodiscard]] Response error_response(int status, const Error& error, const ServerRequest& request) const;
  // The current second, as a Date header carries it.
  [[nodiscard]] std::string_view date();
  [[nodiscard]] std::string next_request_id();

  void listen(std::shared_ptr<Listener> listener);
  void stop_listening();
  void abort_connections();

  void request_began();
  void request_ended();

 private:
  std::int64_t date_second_ = 0;
  std::string date_;
  std::string id_prefix_;
  std::uint64_t last_id_ = 0;
};

}  // namespace puna::net
