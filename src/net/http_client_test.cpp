// Answers and how they come; failures are in http_client_failure_test.cpp.
#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/loopback_testing.h"

namespace puna::net {
namespace {

using namespace loopback;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Sends back what the request was.
Task<void> echo(ServerRequest& request, Responder& responder) {
  Headers headers{{"Content-Type", "text/plain"}};
  for (auto name : {"Authorization", "X-Test", "Content-Type", "Expect", "User-Agent", "X-Empty", "Host"})
    if (auto value = request.headers.get(name)) headers.add("Was-" + std::string(name), std::string(*value));
  co_await responder.send(
      {.status = 200, .headers = std::move(headers), .body = request.method + " " + request.target + " " + request.body});
}

TEST(HttpClient, asks_and_keeps_the_connection_for_the_next_request) {
  TestServer server(echo);
  TestClient client(server);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.fetch(client.to("/a?b=c"))->body, "GET /a?b=c ");
  EXPECT_EQ(server.stats().requests, 3);
  EXPECT_EQ(server.stats().connections, 1);
}

TEST(HttpClient, sends_methods_headers_and_bodies_as_they_are) {
  TestServer server(echo);
  TestClient client(server, {.user_agent = "puna/test"});
  auto request = client.to("/x");
  request.headers = {{"X-Test", "v"}, {"X-Empty", ""}};
  for (auto method : {"POST", "PUT", "PATCH", "DELETE", "REPORT"}) {
    request.method = method;
    request.body = std::string("body\0\xff", 6);
    const auto response = client.fetch(request);
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_EQ(response->body, std::string(method) + " /x " + request.body);
    EXPECT_EQ(response->headers.get("Was-X-Test"), "v");
    EXPECT_EQ(response->headers.get("Was-X-Empty"), "");
    EXPECT_EQ(response->headers.get("Was-User-Agent"), "puna/test");
    EXPECT_FALSE(response->headers.contains("Was-Content-Type"));  // not asked for, not sent
    EXPECT_FALSE(response->headers.contains("Was-Expect"));
    request.body.clear();
    EXPECT_EQ(client.fetch(request)->body, std::string(method) + " /x ");
  }
  EXPECT_EQ(server.stats().connections, 1);
}

// A body of so many bytes that is nowhere in memory; `most` at a time.
BodySource letters(std::size_t size, std::size_t most) {
  return {.size = Bytes(size), .read = [size, most](std::uint64_t at, std::span<char> into) {
            const auto count = std::min({into.size(), most, size - static_cast<std::size_t>(at)});
            for (std::size_t i = 0; i < count; ++i) into[i] = static_cast<char>('a' + (at + i) % 26);
            return count;
          }};
}

TEST(HttpClient, sends_a_body_piece_by_piece_from_its_source) {
  TestServer server(echo);
  TestClient client(server);
  auto request = client.to("/x");
  for (const std::string method : {"PUT", "PATCH", "POST"}) {
    request.method = method;
    request.body_source = letters(3'000'000, 70'000);
    const auto response = client.fetch(request);
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_EQ(response->body.size(), method.size() + 4 + 3'000'000);
    EXPECT_TRUE(response->body.ends_with(static_cast<char>('a' + 2'999'999 % 26)));
  }
}

TEST(HttpClient, a_source_that_dries_up_is_a_failure) {
  TestServer server(echo);
  TestClient client(server);
  auto request = client.to("/x");
  request.method = "PUT";
  request.body_source = BodySource{.size = Bytes(100), .read = [](std::uint64_t, std::span<char>) { return std::size_t{0}; }};
  const auto response = client.fetch(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::corrupt_data);
}

TEST(HttpClient, takes_the_length_of_a_head_answer_for_no_body) {
  TestServer server(echo);
  TestClient client(server);
  auto request = client.to("/x");
  request.method = "HEAD";
  const auto response = client.fetch(request);
  EXPECT_EQ(response->headers.get("content-length"), "8");
  EXPECT_EQ(response->body, "");
}

// ledger: T1
TEST(HttpClient, sends_the_credentials_of_a_url_unescaped_and_in_their_case) {
  TestServer server(echo);
  TestClient client(server);
  auto request = client.to("/");
  request.url.credentials = "Me:PaSs%40W";
  EXPECT_EQ(client.fetch(request)->headers.get("Was-Authorization"), "Basic TWU6UGFTc0BX");
  request.headers.add("Authorization", "Bearer own");
  EXPECT_EQ(client.fetch(request)->headers.get("Was-Authorization"), "Bearer own");
}

TEST(HttpClient, reaches_servers_on_unix_sockets) {
  const TemporaryFolder folder;
  TestServer server(echo);
  ASSERT_TRUE(server.network.call([&] { return server.server->listen_unix(folder / "s.sock"); }));
  TestClient client(server);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.fetch(HttpRequest::to_socket(folder / "s.sock", "POST", "/v1?x=1"))->body, "POST /v1?x=1 ");
  EXPECT_EQ(server.stats().connections, 1);
  const auto missing = client.fetch(HttpRequest::to_socket(folder / "none.sock", "GET", "/"));
  EXPECT_EQ(missing.error().code, Code::unavailable);
  EXPECT_THAT(missing.error().message, HasSubstr("none.sock"));
}

TEST(HttpClient, streams_each_piece_as_it_comes) {
  NetworkThread other;
  Gate gate(other.io);
  TestServer server([&](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start(200, {{"X-Test", "v"}});
    co_await responder.write("first");
    co_await gate.pass();
    co_await responder.write("second");
    co_await responder.finish();
  });
  TestClient client(server);
  std::vector<std::string> pieces;
  client.run([&](HttpClient& http) -> Task<Result<>> {
    PUNA_CO_TRY(auto stream, co_await http.open(client.to("/")));
    EXPECT_EQ(stream.headers().get("X-Test"), "v");
    while (true) {
      PUNA_CO_TRY(auto piece, co_await stream.read());
      if (!piece) break;
      pieces.push_back(*piece);
      gate.open();
    }
    co_return Result<>();
  });
  EXPECT_THAT(pieces, ElementsAre("first", "second"));
}

TEST(HttpClient, holds_back_a_server_that_is_faster_than_its_reader) {
  std::atomic<std::size_t> written = 0;
  constexpr std::size_t kWhole = 64 << 20;
  TestServer server([&](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start(200, {});
    const std::string piece(64 << 10, 'x');
    while (written < kWhole && co_await responder.write(piece)) written += piece.size();
    co_await responder.finish();
  });
  TestClient client(server, {.read_ahead = kib(64)});
  std::size_t read = 0;
  client.run([&](HttpClient& http) -> Task<Result<>> {
    auto request = client.to("/");
    request.deadlines.idle = 250ms;  // does not run while we hold the stream back
    PUNA_CO_TRY(auto stream, co_await http.open(request));
    std::size_t seen = 0;
    for (auto since = std::chrono::steady_clock::now();
         seen == 0 || std::chrono::steady_clock::now() < since + 400ms;) {  // until it is stuck
      if (std::exchange(seen, written) != written) since = std::chrono::steady_clock::now();
      co_await asio::post(server.network.io.context(), asio::deferred);
    }
    EXPECT_LT(written, 12 << 20);  // what the kernel's buffers hold
    while (true) {
      PUNA_CO_TRY(auto piece, co_await stream.read());
      if (!piece) break;
      EXPECT_LE(piece->size(), 192 << 10);
      read += piece->size();
      EXPECT_LT(written, read + (12 << 20));
    }
    co_return Result<>();
  });
  EXPECT_EQ(read, kWhole);
}

TEST(HttpClient, runs_many_requests_at_once) {
  TestServer server(echo);
  TestClient client(server);
  int answered = 0;
  client.run([&](HttpClient& http) -> Task<Result<>> {
    std::vector<Spawned> running;
    for (int i = 0; i < 100; ++i)
      running.push_back(spawn(server.network.io, "fetch", [](HttpClient& with, HttpRequest request, int& count) -> Task<void> {
        if (auto response = co_await with.fetch(std::move(request)); response && response->body == "GET /x ") ++count;
      }(http, client.to("/x"), answered)));
    for (auto& one : running) co_await one.join();
    co_return Result<>();
  });
  EXPECT_EQ(answered, 100);
}

TEST(HttpClient, sends_large_bodies_and_reads_large_answers) {
  TestServer server(echo);
  TestClient client(server);
  auto request = client.to("/");
  request.method = "POST";
  request.body.assign(20 << 20, 'b');
  EXPECT_EQ(client.fetch(request)->body.size(), request.body.size() + 7);
}

TEST(HttpClient, asks_the_proxy_it_is_told_to) {
  TestServer proxy(echo, {.allowed_hosts = {"*"}});
  TestClient client(proxy, {.proxy = "http://127.0.0.1:" + std::to_string(proxy.endpoint().port)});
  HttpRequest request;
  request.url = *Url::parse("http://nowhere.invalid/x");
  const auto response = client.fetch(request);
  ASSERT_TRUE(response) << response.error().text();
  EXPECT_EQ(response->body, "GET http://nowhere.invalid/x ");
  client.configure({.proxy = "http://127.0.0.1:1", .no_proxy = "127.0.0.1"});
  EXPECT_EQ(client.fetch(request).error().code, Code::unavailable);
  EXPECT_TRUE(client.fetch(client.to("/")));
}

TEST(HttpClientRedirects, are_followed_with_the_method_that_http_asks_for) {
  TestServer server([](ServerRequest& request, Responder& responder) -> Task<void> {
    if (request.path == "/end") co_return co_await echo(request, responder);
    const int status = std::stoi(request.path.substr(1));
    co_await responder.send({.status = status, .headers = {{"Location", "/end?q"}}, .body = "moved"});
  });
  TestClient client(server);
  for (const auto& [from, body] : {std::pair("/301", "GET /end?q "),
                                   {"/302", "GET /end?q "},
                                   {"/303", "GET /end?q "},
                                   {"/307", "POST /end?q b"},
                                   {"/308", "POST /end?q b"}}) {
    auto request = client.to(from);
    request.method = "POST";
    request.body = "b";
    EXPECT_EQ(client.fetch(request)->body, body) << from;
  }
  auto request = client.to("/302");
  request.follow_redirects = false;
  EXPECT_EQ(client.fetch(request)->headers.get("Location"), "/end?q");
}

TEST(HttpClientRedirects, leave_credentials_behind_when_they_leave_the_origin) {
  TestServer target(echo);
  TestServer server([&](ServerRequest& request, Responder& responder) -> Task<void> {
    if (request.path == "/end") co_return co_await echo(request, responder);
    const auto elsewhere = "http://127.0.0.1:" + std::to_string(target.endpoint().port) + "/end";
    co_await responder.send({.status = 302, .headers = {{"Location", request.path == "/away" ? elsewhere : "/end"}}, .body = {}});
  });
  TestClient client(server);
  auto request = client.to("/stay");
  request.headers = {{"Authorization", "Bearer secret"}, {"X-Test", "v"}};
  EXPECT_EQ(client.fetch(request)->headers.get("Was-Authorization"), "Bearer secret");
  request.url.path = "/away";
  const auto away = client.fetch(request);
  EXPECT_FALSE(away->headers.contains("Was-Authorization"));
  EXPECT_EQ(away->headers.get("Was-X-Test"), "v");
  request = client.to("/away");
  request.url.credentials = "me:secret";
  EXPECT_FALSE(client.fetch(request)->headers.contains("Was-Authorization"));
}

TEST(HttpClientRedirects, end_after_a_number_of_times_and_never_leave_http) {
  TestServer server([](ServerRequest& request, Responder& responder) -> Task<void> {
    co_await responder.send(
        {.status = 302, .headers = {{"Location", request.path == "/loop" ? "/loop" : "file:///etc/passwd"}}, .body = {}});
  });
  TestClient client(server);
  EXPECT_THAT(client.fetch(client.to("/loop")).error().message, HasSubstr("redirects more than 10 times"));
  EXPECT_THAT(client.fetch(client.to("/file")).error().message, HasSubstr("which is not HTTP"));
}

}  // namespace
}  // namespace puna::net
