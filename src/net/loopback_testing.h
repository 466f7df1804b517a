// For tests: a server on a thread of its own, and a client that sends the very bytes it is told to.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>

#include <filesystem>
#include <future>
#include <string>
#include <string_view>
#include <thread>

#include "net/http_client.h"
#include "net/http_server.h"

namespace puna::net::loopback {

inline constexpr std::chrono::seconds kPatience{20};  // after which a test has failed; nothing waits for it when all is well

// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Runs an Io on a thread of its own.
class NetworkThread {
 public:
  NetworkThread() : thread_([this] { io.run(); }) {}
  ~NetworkThread() { stop(); }
  void stop() {
    io.stop();
    if (thread_.joinable()) thread_.join();
  }
  // Runs the task on the network thread and returns what it returned.
  template <class T>
  T run(Task<T> task) {
    auto future = asio::co_spawn(io.context(), detail::outcome_of(std::move(task)), asio::use_future);
    if (future.wait_for(kPatience) != std::future_status::ready) {
      ADD_FAILURE() << "a task on the network thread does not end";
      std::abort();  // it holds references to what is about to go
    }
    return detail::unwrap<T>(future.get());
  }
  template <class F>
  auto call(F function) {
    return run([](F f) -> Task<std::invoke_result_t<F>> { co_return f(); }(std::move(function)));
  }

  Io io{2};

 private:
  std::thread thread_;
};

class TestServer {
 public:
  explicit TestServer(Handler handler, ServerOptions options = {});
  ~TestServer();

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] ServerStats stats() {
    return network.call([this] { return server->stats(); });
  }
  // Waits until the statistics satisfy the condition.
  void expect_soon(const std::function<bool(const ServerStats&)>& condition, std::string_view what);

  NetworkThread network;
  std::unique_ptr<HttpServer> server;

 private:
  Endpoint endpoint_;
};

// A client on the server's network thread, or on one of its own.
class TestClient {
 public:
  explicit TestClient(ClientOptions options = {});
  explicit TestClient(TestServer& server, ClientOptions options = {});
  ~TestClient();

  // A request to the server.
  [[nodiscard]] HttpRequest to(std::string_view target) const;
  Result<HttpResponse> fetch(HttpRequest request) { return network_.run(http_->fetch(std::move(request))); }
  void configure(ClientOptions options) {
    network_.call([&] { http_->configure(std::move(options)); });
  }
  // Runs a coroutine, which must succeed, on the network thread.
  void run(const std::function<Task<Result<>>(HttpClient&)>& body);

 private:
  std::unique_ptr<NetworkThread> own_;
  NetworkThread& network_;
  Endpoint server_;
  std::unique_ptr<HttpClient> http_;
};

// A port on which connections are left waiting for ever.
class FullPort {
 public:
  FullPort();
  ~FullPort();
  FullPort(const FullPort&) = delete;
  FullPort& operator=(const FullPort&) = delete;
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

 private:
  Endpoint endpoint_;
  std::vector<int> sockets_;
};

// Takes one connection after the other on a thread of its own, and closes each when it has been served.
class ScriptedPort {
 public:
  // Answers each connection's first bytes with the next of the texts.
  explicit ScriptedPort(std::vector<std::string> answers);
  explicit ScriptedPort(std::function<void(int socket)> serve);
  ~ScriptedPort() { stop(); }
  ScriptedPort(const ScriptedPort&) = delete;
  ScriptedPort& operator=(const ScriptedPort&) = delete;
  void stop();
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

 private:
  Endpoint endpoint_;
  int listener_ = -1;
  std::thread thread_;
};

// A condition that tests and handlers wait for, each on its own thread.
class Gate {
 public:
  explicit Gate(Io& io) : notifier_(io) {}
  void open() {
    open_ = true;
    notifier_.notify();
  }
  // In a handler.
  [[nodiscard]] Task<Result<>> pass() {
    while (!open_) {
      const auto seen = notifier_.epoch();
      if (open_) break;
      PUNA_CO_CHECK(co_await notifier_.wait(seen, kPatience));
    }
    co_return Result<>();
  }

 private:
  Notifier notifier_;
  std::atomic<bool> open_ = false;
};

// A blocking socket. Every read gives up after kPatience.
class RawClient {
 public:
  explicit RawClient(const Endpoint& endpoint, int receive_buffer = 0);
  explicit RawClient(const std::filesystem::path& socket);
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  RawClient& send(std::string_view bytes);
  // Sends a request with a Host header; `fields` are whole lines without their ends.
  RawClient& request(std::string_view line, std::initializer_list<std::string_view> fields = {}, std::string_view body = "");
  // What has come up to and with the mark.
  std::string read_until(std::string_view mark);
  std::string read_exactly(std::size_t count);
  // Up to the end of the connection.
  std::string read_to_end();
  // One whole answer with Content-Length or chunks; chunks are joined.
  Response read_response();
  void close();
  // Closing sends a reset instead of an end.
  void reset();

 private:
  bool receive();

  int socket_ = -1;
  std::string received_;
};

[[nodiscard]] std::size_t open_descriptors();

// A handler that sends the text.
[[nodiscard]] Handler answer_with(std::string text);
// Answers without end until that fails, and tells why; `told` must outlive the server.
[[nodiscard]] Handler answer_until_it_fails(std::promise<Error>& told);
// The same error, within kPatience.
[[nodiscard]] Error error_of(std::promise<Error>& told);

}  // namespace puna::net::loopback
