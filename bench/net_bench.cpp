// What a request costs in net: through the server, through the client, and through both as the daemon's proxy does it.
//
// Machines are shared, so besides the rate each line shows the CPU time that the measured network thread spent on one request.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <pthread.h>

#include <array>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>
#include <ctime>
#include <thread>

#include "net/http_client.h"
#include "net/http_server.h"

namespace puna::net {
namespace {

constexpr int kConnections = 64;
constexpr int kTokens = 256;

class Loop {
 public:
  Loop() : thread_([this] { io.run(); }) {
    clockid_t clock{};
    pthread_getcpuclockid(thread_.native_handle(), &clock);
    clock_ = clock;
  }
  ~Loop() {
    io.stop();
    thread_.join();
  }
  template <class T>
  T run(Task<T> task) {
    return asio::co_spawn(io.context(), std::move(task), asio::use_future).get();
  }
  [[nodiscard]] double cpu_seconds() const {
    timespec spent{};
    clock_gettime(clock_, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
  }
  Io io{1};

 private:
  std::thread thread_;
  clockid_t clock_{};
};

class Server {
 public:
  Server(Loop& loop, Handler handler) : loop_(loop) {
    loop_.run([](Server* self, Handler on_request) -> Task<void> {
      self->server_ = std::make_unique<HttpServer>(self->loop_.io, ServerOptions{}, std::move(on_request));
      self->endpoint = self->server_->listen_tcp("127.0.0.1", 0).value();
      co_return;
    }(this, std::move(handler)));
  }
  ~Server() {
    loop_.run([](Server* self) -> Task<void> {
      co_await self->server_->drain(Milliseconds(1000));
      self->server_.reset();
    }(this));
  }
  Endpoint endpoint;

 private:
  Loop& loop_;
  std::unique_ptr<HttpServer> server_;
};

// Asks over raw sockets, as cheaply as it can be done, so that the time is the other side's.
class Asker {
 public:
  Asker(const Endpoint& endpoint, std::string_view end_of_answer) : end_(end_of_answer) {
    for (int i = 0; i < kConnections; ++i) {
      sockets_.emplace_back(context_);
      sockets_.back().connect({asio::ip::make_address("127.0.0.1"), endpoint.port});
      sockets_.back().set_option(asio::ip::tcp::no_delay(true));
    }
  }
  void ask(std::int64_t requests) {
    left_ = requests;
    for (auto& socket : sockets_) asio::co_spawn(context_, converse(socket), asio::detached);
    context_.restart();
    context_.run();
  }

 private:
  Task<void> converse(asio::ip::tcp::socket& socket) {
    constexpr std::string_view kRequest =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
        "15\r\n\r\n{\"model\":\"abc\"}";
    std::array<char, 65536> buffer{};
    while (left_-- > 0) {
      co_await socket.async_write_some(asio::buffer(kRequest), asio::use_awaitable);
      std::string answer;
      while (!answer.ends_with(end_))
        answer.append(buffer.data(), co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable));
    }
  }
  asio::io_context context_{1};
  std::vector<asio::ip::tcp::socket> sockets_;
  std::string end_;
  std::int64_t left_ = 0;
};

Task<void> answer_small(ServerRequest&, Responder& responder) {
  co_await responder.send({.status = 200, .headers = {{"Content-Type", "application/json"}}, .body = R"({"text":"hello"})"});
}

Task<void> answer_tokens(ServerRequest&, Responder& responder) {
  co_await responder.start_sse();
  for (int i = 0; i < kTokens; ++i) {
    co_await responder.write("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"}}]}\n\n");
    co_await asio::post(co_await asio::this_coro::executor, asio::deferred);  // one token at a time
  }
  co_await responder.write("data: [DONE]\n\n");
  co_await responder.finish();
}

// Passes requests on and answers back, as the daemon does.
struct Proxy {
  HttpClient& client;
  Endpoint upstream;

  Task<void> operator()(ServerRequest& request, Responder& responder) const {
    HttpRequest onward;
    onward.method = request.method;
    onward.url = {.scheme = "http", .host = "127.0.0.1", .port = upstream.port, .path = request.path};
    onward.headers = {{"Content-Type", "application/json"}};
    onward.body = std::move(request.body);
    auto stream = co_await client.open(std::move(onward));
    if (!stream) co_return;
    co_await responder.start(stream->status(), stream->headers());
    while (true) {
      auto piece = co_await stream->read();
      if (!piece || !*piece) break;
      if (!co_await responder.write(**piece)) co_return;
    }
    co_await responder.finish();
  }
};

void report(benchmark::State& state, double cpu_seconds, std::int64_t requests) {
  state.SetItemsProcessed(requests);
  state.counters["cpu_us_per_item"] = cpu_seconds * 1e6 / static_cast<double>(requests);
}

void server_small_requests(benchmark::State& state) {
  constexpr std::int64_t kBatch = 20'000;
  Loop loop;
  Server server(loop, answer_small);
  Asker asker(server.endpoint, R"({"text":"hello"})");
  asker.ask(kConnections);
  const double before = loop.cpu_seconds();
  for (auto _ : state) asker.ask(kBatch);
  report(state, loop.cpu_seconds() - before, state.iterations() * kBatch);
}
BENCHMARK(server_small_requests)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(2);

void client_small_requests(benchmark::State& state) {
  constexpr std::int64_t kBatch = 20'000;
  Loop upstream_loop, loop;
  Server upstream(upstream_loop, answer_small);
  std::unique_ptr<HttpClient> client;
  std::int64_t left = 0;
  const auto ask = [&]() -> Task<void> {
    while (left-- > 0) {
      HttpRequest request;
      request.url = {.scheme = "http", .host = "127.0.0.1", .port = upstream.endpoint.port, .path = "/v1"};
      if (!co_await client->fetch(std::move(request))) std::abort();
    }
  };
  const auto batch = [&](std::int64_t requests) -> Task<void> {
    left = requests;
    std::vector<Spawned> running;
    for (int i = 0; i < kConnections; ++i) running.push_back(spawn(loop.io, "ask", ask()));
    for (auto& one : running) co_await one.join();
  };
  const auto begin = [&]() -> Task<void> {
    client = std::make_unique<HttpClient>(loop.io, ClientOptions{});
    co_await batch(kConnections);
  };
  const auto end = [&]() -> Task<void> {
    client.reset();
    co_return;
  };
  loop.run(begin());
  const double before = loop.cpu_seconds();
  for (auto _ : state) loop.run(batch(kBatch));
  report(state, loop.cpu_seconds() - before, state.iterations() * kBatch);
  loop.run(end());
}
BENCHMARK(client_small_requests)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(2);

// Server and client on one network thread, the upstream and the asker on another each.
void proxied(benchmark::State& state, Handler upstream_handler, std::string_view end_of_answer, std::int64_t batch,
             std::int64_t items_each) {
  Loop upstream_loop, loop;
  Server upstream(upstream_loop, std::move(upstream_handler));
  std::unique_ptr<HttpClient> client;
  const auto begin = [&]() -> Task<void> {
    client = std::make_unique<HttpClient>(loop.io, ClientOptions{});
    co_return;
  };
  const auto end = [&]() -> Task<void> {
    client.reset();
    co_return;
  };
  loop.run(begin());
  {
    Server server(loop, Proxy{.client = *client, .upstream = upstream.endpoint});
    Asker asker(server.endpoint, end_of_answer);
    asker.ask(kConnections);
    const double before = loop.cpu_seconds();
    for (auto _ : state) asker.ask(batch);
    report(state, loop.cpu_seconds() - before, state.iterations() * batch * items_each);
  }
  loop.run(end());
}

void proxied_small_requests(benchmark::State& state) {
  proxied(state, answer_small, R"({"text":"hello"})", 10'000, 1);
}
BENCHMARK(proxied_small_requests)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(2);

void proxied_tokens(benchmark::State& state) {
  proxied(state, answer_tokens, "0\r\n\r\n", 200, kTokens);
}
BENCHMARK(proxied_tokens)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(2);

}  // namespace
}  // namespace puna::net

BENCHMARK_MAIN();
