// HTTP/1.1 server on one thread: TCP and Unix sockets, streaming answers, WebSockets, limits and deadlines everywhere.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "base/units.h"
#include "net/http_types.h"
#include "net/io.h"
#include "net/tls.h"
#include "net/websocket.h"

namespace puna::net {

class Connection;

// Who is at the other end.
struct Peer {
  bool unix_socket = false;
  std::string address;  // of TCP: "127.0.0.1"
  std::uint16_t port = 0;
  std::optional<uid_t> uid;  // of a Unix socket
  std::optional<pid_t> pid;
};

struct ServerRequest {
  std::string method;  // "GET"
  std::string target;  // as it was sent: "/a%20b?c=1"
  std::string path;    // still escaped, so that "%2F" inside a segment survives routing
  Query query;
  Headers headers;
  std::string body;
  Peer peer;
  std::string id;                                      // X-Request-Id, ours or the client's; sent back too
  std::map<std::string, std::string> path_parameters;  // for routers
  // Of a request with a streamed body (ServerOptions::streamed_body), whose `body` stays empty: its next bytes, nothing at the end.
  // Code::too_large, Code::deadline_exceeded, Code::invalid_argument as the server itself would refuse it. Waits for the client; the
  // client's pace is the reader's.
  std::function<Task<Result<std::optional<std::string>>>()> read_body;
};

// The answer to one request. Every call fails with Code::unavailable when the client is gone, Code::deadline_exceeded when it takes no
// bytes for the write deadline, Code::cancelled when the request was cancelled; the handler just returns then.
class Responder {
 public:
  // A whole answer in one write; Content-Length, Date, Connection and CORS headers are added.
  [[nodiscard]] Task<Result<>> send(Response response);

  // A streamed answer: start, any number of writes, finish. A handler that returns without finish() breaks the connection, so that the
  // client sees a cut answer as cut.
  [[nodiscard]] Task<Result<>> start(int status, Headers headers);
  [[nodiscard]] Task<Result<>> start_sse(Headers headers = {});
  // Returns when the kernel has taken the bytes: the client's pace is the writer's.
  [[nodiscard]] Task<Result<>> write(std::string_view bytes);
  [[nodiscard]] Task<Result<>> finish();

  // Answers a WebSocket handshake. Code::invalid_argument when the request is none (nothing was sent then).
  [[nodiscard]] Task<Result<WebSocket>> upgrade(WebSocketOptions options = {});

  [[nodiscard]] bool started() const;  // a status has been sent
  [[nodiscard]] int status() const;    // of the answer; 0 before it
  // Goes with the answer, whoever sends it.
  void add_header(std::string name, std::string value);

 private:
  friend class Connection;
  explicit Responder(Connection& connection) : connection_(connection) {}
  Connection& connection_;
};

// Runs on the network thread, in the connection's coroutine. A client that goes away cancels it: everything it awaits ends with
// Code::cancelled. A handler that sends nothing, or throws, is answered for with status 500.
using Handler = std::function<Task<void>(ServerRequest&, Responder&)>;

struct ServerOptions {
  Bytes max_header = kib(32);
  Bytes max_body = mib(64);
  Milliseconds header_deadline{10'000};  // for a whole request header, from its first byte
  Milliseconds body_deadline{60'000};    // without a byte while a body is sent or an answer is taken
  Milliseconds idle_deadline{90'000};    // between requests
  std::size_t max_connections = 1024;    // more are answered with 503 and closed

  // Names a Host header may carry over TCP (against DNS rebinding), without ports; "*" allows any. Loopback names and the address that
  // listen_tcp was given always may.
  std::vector<std::string> allowed_hosts;
  // Browser origins that may call ("http://localhost:3000"), against cross-site requests; "*" allows any. The server's own always may.
  std::vector<std::string> allowed_origins;
  // Users who may connect to the Unix socket; empty: only the one this process runs as.
  std::vector<uid_t> allowed_uids;

  // Requests whose handler is called before the body comes and reads it itself, and how long that body may be; null: all others, whose
  // body is held in memory. A handler that answers without reading to the end ends the connection.
  std::function<std::optional<Bytes>(const ServerRequest&)> streamed_body;

  // Asked once the header of a request has come, before its body is: an Error is the answer (see format_error), and the body is not read.
  // CORS preflights, which carry no credentials, are not judged.
  std::function<std::optional<Error>(const ServerRequest&)> admit;

  // The body of answers that the server gives itself (400, 403, 408, 413, 431, 500, 503 …); the request holds what was read of it.
  // Default: {"error":{"code","message","type"}}.
  std::function<Response(int status, const Error&, const ServerRequest&)> format_error;
};

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};

struct ServerStats {
  std::size_t connections = 0;      // open
  std::size_t active_requests = 0;  // handlers running
  std::uint64_t requests = 0;       // since the start
};

enum class Security { plain, tls };

class HttpServer {
 public:
  HttpServer(Io& io, ServerOptions options, Handler handler);
  ~HttpServer();  // stops listening and breaks every connection; drain() first
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // `host` is an address or "localhost"; port 0 picks a free one. Code::conflict names the process that holds the port.
  // A listener with TLS speaks nothing else, with the identity of use_tls(), which has to come first.
  [[nodiscard]] Result<Endpoint> listen_tcp(std::string_view host, std::uint16_t port, Security security = Security::plain);
  // For connections from now on; again when the files have changed.
  void use_tls(std::shared_ptr<TlsIdentity> identity);
  // The socket has mode 0600 from the start; a dead one in its place is replaced. Code::conflict when a server answers there.
  [[nodiscard]] Result<> listen_unix(const std::filesystem::path& path);

  // Stops listening, closes idle connections, lets active requests end; after `grace` cancels the rest. Returns when no connection is
  // left. Not from a handler: it would wait for itself.
  [[nodiscard]] Task<void> drain(Milliseconds grace);

  [[nodiscard]] ServerStats stats() const;
  // Called when a request begins and when it has ended, on the network thread.
  void on_activity(std::function<void()> callback);
  // Lists for requests from now on (settings may change while the server runs).
  void set_allowed(std::vector<std::string> hosts, std::vector<std::string> origins);

  struct Core;

 private:
  std::shared_ptr<Core> core_;  // shared with connections that are still ending
};

}  // namespace puna::net
