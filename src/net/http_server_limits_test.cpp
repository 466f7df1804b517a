// What a client may send, how long it may take, and who may call at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/access_rules.h"
#include "net/http_server.h"
#include "net/loopback_testing.h"

namespace puna::net {
namespace {

using namespace loopback;
using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(HttpServerLimits, refuse_a_header_beyond_the_limit_in_one_piece_or_many) {
  TestServer server(answer_with("ok"), {.max_header = kib(2)});
  RawClient whole(server.endpoint());
  const auto refused = whole.request("GET /", {"X: " + std::string(3000, 'x')}).read_response();
  EXPECT_EQ(refused.status, 431);
  EXPECT_THAT(refused.body, HasSubstr("the request header is larger than 2.00 KiB"));
  EXPECT_EQ(whole.read_to_end(), "");
  RawClient pieces(server.endpoint());
  pieces.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 300; ++i) pieces.send("X-Y: 01234\r\n");
  EXPECT_EQ(pieces.read_response().status, 431);
  RawClient trailers(server.endpoint());
  trailers.request("POST /", {"Transfer-Encoding: chunked"}).send("0\r\n" + std::string(5000, 'x'));
  EXPECT_EQ(trailers.read_response().status, 431);
}

TEST(HttpServerLimits, refuse_a_body_beyond_the_limit_before_it_is_sent) {
  TestServer server(answer_with("ok"), {.max_body = kib(1)});
  RawClient stated(server.endpoint());
  const auto refused = stated.request("POST /", {"Content-Length: 1025"}).read_response();
  EXPECT_EQ(refused.status, 413);
  EXPECT_THAT(refused.body, HasSubstr(R"("code":"too_large","message":"the request body is larger than 1.00 KiB")"));
  RawClient chunked(server.endpoint());
  chunked.request("POST /", {"Transfer-Encoding: chunked"}).send("400\r\n" + std::string(1024, 'x') + "\r\n1\r\n");
  EXPECT_EQ(chunked.read_response().status, 413);
  EXPECT_EQ(RawClient(server.endpoint()).request("POST /", {}, std::string(1024, 'x')).read_response().status, 200);
}

TEST(HttpServerLimits, let_a_refused_client_read_the_answer_while_it_still_sends) {
  TestServer server(answer_with("ok"), {.max_body = kib(1)});
  RawClient client(server.endpoint());
  client.request("POST /", {"Content-Length: 3000000"}).send(std::string(3'000'000, 'x'));
  EXPECT_EQ(client.read_response().status, 413);
}

// ledger: T9
TEST(HttpServerLimits, end_a_client_that_sends_its_header_too_slowly) {
  TestServer server(answer_with("ok"), {.header_deadline = 20ms});
  const auto refused = RawClient(server.endpoint()).send("GET / HTTP/1.1\r\nHost: lo").read_response();
  EXPECT_EQ(refused.status, 408);
  EXPECT_THAT(refused.body, HasSubstr("the request header did not come within 20 ms"));
}

// ledger: T9
TEST(HttpServerLimits, end_a_client_that_stops_in_its_body) {
  TestServer server(answer_with("ok"), {.body_deadline = 20ms});
  const auto refused = RawClient(server.endpoint()).request("POST /", {"Content-Length: 9"}).send("half").read_response();
  EXPECT_EQ(refused.status, 408);
  EXPECT_THAT(refused.body, HasSubstr("the request body did not come within 20 ms"));
}

// ledger: T9
TEST(HttpServerLimits, close_idle_connections_without_a_word) {
  TestServer server(answer_with("ok"), {.idle_deadline = 150ms});
  EXPECT_EQ(RawClient(server.endpoint()).read_to_end(), "");
  RawClient used(server.endpoint());
  EXPECT_EQ(used.request("GET /").read_response().status, 200);
  EXPECT_EQ(used.read_to_end(), "");
}

// ledger: T9
TEST(HttpServerLimits, end_an_answer_that_its_client_does_not_take) {
  std::promise<Error> told;
  TestServer server(answer_until_it_fails(told), {.body_deadline = 20ms});
  RawClient client(server.endpoint());
  client.request("GET /").read_until("\r\n\r\n");
  const auto why = error_of(told);
  EXPECT_EQ(why.code, Code::deadline_exceeded);
  EXPECT_EQ(why.message, "the client took no bytes for 20 ms");
}

TEST(HttpServerLimits, hold_a_fast_writer_to_the_pace_of_a_slow_reader) {
  std::atomic<std::size_t> written = 0;
  constexpr std::size_t kWhole = 64 << 20;
  TestServer server([&](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start(200, {{"Content-Length", std::to_string(kWhole)}});
    const std::string piece(64 << 10, 'x');
    while (written < kWhole && co_await responder.write(piece)) written += piece.size();
    co_await responder.finish();
  });
  RawClient client(server.endpoint(), 64 << 10);
  client.request("GET /").read_until("\r\n\r\n");
  std::size_t read = 0;
  for (std::size_t part = 0; part < 16; ++part) {
    read += client.read_exactly(kWhole / 16).size();
    EXPECT_LT(written, read + (12 << 20));  // what the kernel's two buffers hold
  }
  EXPECT_EQ(read, kWhole);
}

TEST(HttpServerLimits, tell_a_client_that_there_are_too_many) {
  TestServer server(answer_with("ok"), {.max_connections = 1});
  RawClient first(server.endpoint());
  EXPECT_EQ(first.request("GET /").read_response().status, 200);
  RawClient second(server.endpoint());
  const auto refused = second.request("GET /").read_response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("1 connections are open already"));
  second.close();
  first.close();
  server.expect_soon([](const auto& stats) { return stats.connections == 0; }, "no connection");
  EXPECT_EQ(RawClient(server.endpoint()).request("GET /").read_response().status, 200);
}

TEST(HttpServerAccess, is_only_for_known_host_names) {
  TestServer server(answer_with("ok"), {.allowed_hosts = {"Puna.lan"}});
  const auto status = [&](std::string_view host) {
    return RawClient(server.endpoint()).send("GET / HTTP/1.1\r\nHost: ").send(host).send("\r\n\r\n").read_response().status;
  };
  for (auto host : {"localhost", "LOCALHOST:17862", "127.0.0.1:1", "[::1]:80", "puna.lan:17862", "ui.localhost"})
    EXPECT_EQ(status(host), 200) << host;
  for (auto host : {"evil.example", "127.0.0.1.evil.example", "puna.lan.evil.example", ""}) EXPECT_EQ(status(host), 403) << host;
  server.network.call([&] { server.server->set_allowed({"*"}, {}); });
  EXPECT_EQ(status("evil.example"), 200);
}

TEST(HttpServerAccess, is_not_for_pages_of_other_origins) {
  TestServer server(answer_with("ok"), {.allowed_origins = {"http://localhost:3000/"}});
  const auto ask = [&](std::string_view field, std::string_view line = "POST /") {
    return RawClient(server.endpoint()).request(line, {field}).read_response();
  };
  const auto allowed = ask("Origin: http://LOCALHOST:3000");
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(allowed.headers.get("Access-Control-Allow-Origin"), "http://LOCALHOST:3000");
  EXPECT_EQ(allowed.headers.get("Vary"), "Origin");
  const auto own = ask("Origin: http://localhost");
  EXPECT_EQ(own.status, 200);
  EXPECT_FALSE(own.headers.contains("Access-Control-Allow-Origin"));
  EXPECT_EQ(ask("Origin: http://localhost:3001").status, 403);
  EXPECT_EQ(ask("Origin: null").status, 403);
  EXPECT_EQ(ask("Origin: http://evil.example", "GET /").status, 403);
  EXPECT_EQ(ask("Sec-Fetch-Site: cross-site").status, 403);
  EXPECT_EQ(ask("Sec-Fetch-Site: cross-site", "GET /").status, 200);
  EXPECT_EQ(ask("Sec-Fetch-Site: same-origin").status, 200);
}

TEST(HttpServerAccess, is_by_any_address_where_other_machines_may_come) {
  AccessRules rules({}, {});
  rules.allow_host("127.0.0.1");
  EXPECT_FALSE(rules.check_host("192.168.1.5:17862"));
  rules.allow_host("0.0.0.0");
  EXPECT_TRUE(rules.check_host("192.168.1.5:17862"));
  EXPECT_TRUE(rules.check_host("[2001:db8::1]:17862"));
  EXPECT_FALSE(rules.check_host("evil.example")) << "a name may be rebound";
  EXPECT_FALSE(rules.check_host("192.168.1.5.evil.example"));
}

TEST(HttpServerAccess, is_judged_before_the_body_comes) {
  ServerOptions options{.allowed_origins = {"http://a.example"}};
  options.admit = [](const ServerRequest& request) {
    return request.headers.contains("x-api-key") ? std::nullopt : std::optional(Error(Code::unauthenticated, "who are you?"));
  };
  TestServer server(answer_with("ok"), options);
  const auto refused = RawClient(server.endpoint()).request("POST /", {"Content-Length: 9000000"}).read_response();
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr("who are you?"));
  EXPECT_EQ(RawClient(server.endpoint()).request("POST /", {"x-api-key: k"}, "body").read_response().status, 200);
  EXPECT_EQ(RawClient(server.endpoint())
                .request("OPTIONS /", {"Origin: http://a.example", "Access-Control-Request-Method: POST"})
                .read_response()
                .status,
            204)
      << "a preflight carries no credentials";
}

TEST(HttpServerAccess, lets_allowed_pages_read_limits_ids_and_what_was_dropped) {
  TestServer server(answer_with("ok"), {.allowed_origins = {"http://a.example"}});
  const auto answer = RawClient(server.endpoint()).request("GET /", {"Origin: http://a.example"}).read_response();
  const std::string exposed(answer.headers.get("Access-Control-Expose-Headers").value_or(""));
  for (const auto* header : {"X-Request-Id", "Retry-After", "x-ratelimit-remaining-requests", "X-Puna-Queue-Ms", "X-Puna-Dropped"})
    EXPECT_THAT(exposed, HasSubstr(header));
  EXPECT_FALSE(answer.headers.contains("Access-Control-Allow-Credentials")) << "keys are headers, never cookies";
}

TEST(HttpServerAccess, answers_preflight_requests_itself) {
  TestServer server(answer_with("the handler was asked"), {.allowed_origins = {"http://a.example"}});
  RawClient client(server.endpoint());
  const auto leave =
      client
          .request("OPTIONS /v1", {"Origin: http://a.example", "Access-Control-Request-Method: POST",
                                   "Access-Control-Request-Headers: authorization,x-y", "Access-Control-Request-Private-Network: true"})
          .read_response();
  EXPECT_EQ(leave.status, 204);
  EXPECT_EQ(leave.headers.get("Access-Control-Allow-Origin"), "http://a.example");
  EXPECT_EQ(leave.headers.get("Access-Control-Allow-Headers"), "authorization,x-y");
  EXPECT_THAT(std::string(leave.headers.get("Access-Control-Allow-Methods").value_or("")), HasSubstr("DELETE"));
  EXPECT_EQ(leave.headers.get("Access-Control-Allow-Private-Network"), "true");
  EXPECT_EQ(client.request("OPTIONS /v1", {"Origin: http://evil.example", "Access-Control-Request-Method: POST"}).read_response().status,
            403);
}

}  // namespace
}  // namespace puna::net
