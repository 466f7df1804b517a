// HTTP client: libcurl's multi interface driven by the io_context. Every call on the network thread; nothing here may outlive its Io.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "net/http_types.h"
#include "net/io.h"
#include "net/retry.h"
#include "net/url.h"

namespace puna::net {

class CurlMulti;
class Transfer;
struct Fault;

// Each passing deadline is Code::deadline_exceeded, and the message says which one and its value. kForever switches one off.
struct Deadlines {
  Milliseconds connect{10'000};     // name, TCP and TLS
  Milliseconds first_byte{60'000};  // from the request to the first byte of the answer
  Milliseconds idle{30'000};        // without a byte once the answer has begun; does not run while the reader holds the stream back
  Milliseconds total = kForever;    // of one attempt
};

// Told before each further attempt.
struct RetryNotice {
  int failed_attempt = 1;
  int attempts = 1;
  Milliseconds delay{0};
  Error error;  // why the attempt failed
};

// A request body that is not in memory.
struct BodySource {
  Bytes size;
  // Bytes of the body from `at` on, as many as there are and fit; nothing when they cannot be had, which ends the attempt. Called on the
  // network thread, again from the beginning for each attempt.
  std::function<std::size_t(std::uint64_t at, std::span<char> into)> read;
};

struct HttpRequest {
  std::string method = "GET";
  Url url;                                           // http or https
  std::optional<std::filesystem::path> unix_socket;  // connect here instead; no proxy, no redirects
  Headers headers;
  std::string body;
  std::optional<BodySource> body_source;  // instead of body
  Deadlines deadlines;
  RetryPolicy retry = RetryPolicy::never();
  std::function<void(const RetryNotice&)> on_retry;
  Bytes max_body = mib(64);      // of fetch(); a stream is bounded by its reader
  bool follow_redirects = true;  // credentials stay behind when a redirect leaves the origin
  int max_redirects = 10;
  bool own_connection = false;  // HTTP/1.1: requests at the same time do not share a connection
  bool repeatable = false;      // a POST or PATCH that may be sent twice; the other methods may be by definition

  // A request to a server on a Unix socket; `target` is the path with its query.
  [[nodiscard]] static HttpRequest to_socket(std::filesystem::path socket, std::string method, std::string_view target);
};

using HttpResponse = Response;

struct ClientOptions {
  std::optional<std::string> proxy;  // nullopt: as the environment says; empty: none
  std::string no_proxy;              // comma-separated hosts that need no proxy
  std::filesystem::path ca_file;     // empty: the system's authorities
  std::string user_agent = "puna";
  bool offline = false;              // refuse every host but this machine
  int max_connections_per_host = 0;  // 0: no limit; requests beyond it wait
  int max_idle_connections = 64;
  Bytes max_header = kib(256);
  Bytes receive_buffer = kib(64);  // of each connection, up to 512 KiB
  Bytes read_ahead = kib(256);     // of a stream whose reader is slower than its server
};

// An answer whose body arrives. Dropping it ends the transfer.
class HttpStream {
 public:
  HttpStream(HttpStream&&) noexcept;
  HttpStream& operator=(HttpStream&&) noexcept;
  ~HttpStream();

  [[nodiscard]] int status() const;
  [[nodiscard]] const Headers& headers() const;
  [[nodiscard]] const Url& url() const;  // after redirects
  // What has arrived since the last call, at least one byte; nullopt at the end. A stream nobody reads stops its server (back-pressure).
  [[nodiscard]] Task<Result<std::optional<std::string>>> read();
  // The same into `out`, whose memory is used for what comes next; false at the end.
  [[nodiscard]] Task<Result<bool>> read_into(std::string& out);
  // The rest, up to a limit.
  [[nodiscard]] Task<Result<std::string>> read_all(Bytes limit);

 private:
  friend class HttpClient;
  explicit HttpStream(std::unique_ptr<Transfer> transfer);
  std::unique_ptr<Transfer> transfer_;
};

class HttpClient {
 public:
  HttpClient(Io& io, ClientOptions options);
  ~HttpClient();  // ends every transfer with Code::cancelled
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Whatever the status: an answer is not an Error (see status_error). Errors: deadline_exceeded, unavailable (name not found, refused,
  // lost), upstream_failed (TLS, not HTTP), too_large, invalid_argument, cancelled.
  [[nodiscard]] Task<Result<HttpResponse>> fetch(HttpRequest request);
  // Returns when status and headers are here.
  [[nodiscard]] Task<Result<HttpStream>> open(HttpRequest request);

  // For requests from now on.
  void configure(ClientOptions options);

 private:
  Task<Result<std::unique_ptr<Transfer>>> perform(HttpRequest request, bool whole);
  Task<std::expected<std::unique_ptr<Transfer>, Fault>> follow(std::shared_ptr<const HttpRequest> request, bool whole);

  ClientOptions options_;
  std::shared_ptr<CurlMulti> multi_;  // shared with streams that outlive this
  std::optional<Error> broken_;       // libcurl did not start
};

// The Error for an answer that is not a success: its code from the status, its message from the body where one can be found, Retry-After.
[[nodiscard]] Error status_error(std::string_view what, const HttpResponse& response);

// Whether any interface but loopback is up with an address: tells "no network" from "no such host".
[[nodiscard]] bool network_present();

}  // namespace puna::net
