// Requests and answers; limits and deadlines are in http_server_limits_test.cpp, listening and leaving in http_server_life_test.cpp.
#include "net/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/loopback_testing.h"

namespace puna::net {
namespace {

using namespace loopback;
using testing::HasSubstr;
using testing::StartsWith;

// Sends back what the request was.
Task<void> echo(ServerRequest& request, Responder& responder) {
  co_await responder.send({.status = 200,
                           .headers = {{"Content-Type", "text/plain"}},
                           .body = request.method + " " + request.path + " " + request.query.text() + " " + request.body});
}

TEST(HttpServer, answers_one_request_after_the_other_on_a_connection) {
  TestServer server(echo);
  RawClient client(server.endpoint());
  EXPECT_EQ(client.request("GET /a%2Fb?x=1&y=%20").read_response().body, "GET /a%2Fb x=1&y=%20 ");
  EXPECT_EQ(client.request("POST /c", {}, "body").read_response().body, "POST /c  body");
  EXPECT_EQ(server.stats().connections, 1);
  EXPECT_EQ(server.stats().requests, 2);
}

TEST(HttpServer, answers_pipelined_requests_in_their_order) {
  TestServer server(echo);
  RawClient client(server.endpoint());
  client.request("GET /1").request("POST /2", {}, "b").request("GET /3", {"Connection: close"});
  EXPECT_EQ(client.read_response().body, "GET /1  ");
  EXPECT_EQ(client.read_response().body, "POST /2  b");
  EXPECT_EQ(client.read_response().body, "GET /3  ");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(HttpServer, reads_a_request_that_comes_byte_by_byte) {
  TestServer server(echo);
  RawClient client(server.endpoint());
  const auto send_each = [&](std::string_view bytes) {
    for (const char c : bytes) client.send({&c, 1});
  };
  send_each("\r\nPUT /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n1\r\nd\r\n0\r\nT: u\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "PUT /x  abcd");
  send_each("PUT /y HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "PUT /y  ");
}

TEST(HttpServer, asks_for_the_body_of_a_client_that_waits_for_leave) {
  TestServer server(echo);
  RawClient client(server.endpoint());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.send("hi").read_response().body, "POST /  hi");
}

// ledger: M4
TEST(HttpServer, refuses_requests_that_two_readers_could_take_for_different_ones) {
  TestServer server(echo);
  const std::pair<std::string_view, int> table[] = {{"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400},
                                                    {"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400},
                                                    {"Content-Length: 3\r\nContent-Length: 4\r\n", 400},
                                                    {"Content-Length: -1\r\n", 400},
                                                    {"Transfer-Encoding: gzip, chunked\r\n", 501},
                                                    {"Transfer-Encoding: identity\r\n", 501},
                                                    {"Host: other\r\n", 400},
                                                    {"Bad Name: x\r\n", 400},
                                                    {"Expect: miracles\r\n", 417},
                                                    {"X: a\rb\r\n", 400}};
  for (const auto& [fields, status] : table) {
    RawClient client(server.endpoint());
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\n").send(fields).send("\r\n");
    EXPECT_EQ(client.read_response().status, status) << fields;
    EXPECT_EQ(client.read_to_end(), "") << fields;
  }
}

// ledger: M4
TEST(HttpServer, refuses_what_is_not_http) {
  TestServer server(echo);
  for (const auto& [sent, status] : {std::pair("GET / HTTP/2.0\r\n\r\n", 505),
                                     {"GET / HTTP/1.1\r\n\r\n", 400},
                                     {"\x16\x03\x01 hello\r\n\r\n", 400},
                                     {"GET nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 400}}) {
    RawClient client(server.endpoint());
    EXPECT_EQ(client.send(sent).read_response().status, status) << sent;
  }
}

TEST(HttpServer, formats_its_own_errors_as_it_is_told) {
  TestServer plain(echo);
  EXPECT_EQ(RawClient(plain.endpoint()).send("GET x HTTP/1.1\r\nHost: localhost\r\n\r\n").read_response().body,
            R"({"error":{"code":"invalid_argument","message":"'x' is not a path","type":"invalid_request_error"}})");
  TestServer own(echo, {.format_error = [](int status, const Error& error, const ServerRequest& request) {
                   return Response{.status = status, .headers = {{"X-Shape", "own"}}, .body = request.path + ": " + error.message};
                 }});
  const auto response = RawClient(own.endpoint()).send("GET x HTTP/1.1\r\nHost: localhost\r\n\r\n").read_response();
  EXPECT_EQ(response.body, "x: 'x' is not a path");
  EXPECT_EQ(response.headers.get("X-Shape"), "own");
}

TEST(HttpServer, streams_each_piece_when_it_is_written) {
  NetworkThread other;
  Gate gate(other.io);
  TestServer server([&](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start(200, {{"Content-Type", "text/plain"}});
    co_await responder.write("first");
    co_await gate.pass();
    co_await responder.write("");  // would end the answer if it were sent
    co_await responder.write("second");
    co_await responder.finish();
  });
  RawClient client(server.endpoint());
  EXPECT_THAT(client.request("GET /").read_until("first\r\n"), HasSubstr("\r\n\r\n5\r\nfirst\r\n"));
  gate.open();
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "6\r\nsecond\r\n0\r\n\r\n");
  client.request("GET /").read_until("first");  // the connection goes on
}

TEST(HttpServer, breaks_the_connection_of_an_answer_that_is_not_finished) {
  TestServer server([](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start(200, {});
    co_await responder.write("half");
  });
  EXPECT_THAT(RawClient(server.endpoint()).request("GET /").read_to_end(), testing::EndsWith("\r\n\r\n4\r\nhalf\r\n"));
}

TEST(HttpServer, holds_a_streamed_answer_to_its_stated_length) {
  std::vector<std::string> errors;
  TestServer server([&](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start(200, {{"Content-Length", "4"}});
    if (auto written = co_await responder.write("too long"); !written) errors.push_back(written.error().message);
    co_await responder.write("abc");
    if (auto finished = co_await responder.finish(); !finished) errors.push_back(finished.error().message);
    co_await responder.write("d");
    co_await responder.finish();
  });
  EXPECT_EQ(RawClient(server.endpoint()).request("GET /").read_response().body, "abcd");
  EXPECT_THAT(errors,
              testing::ElementsAre("the answer is longer than its Content-Length", "the answer is shorter than its Content-Length"));
}

TEST(HttpServer, sends_events_that_proxies_do_not_hold_back) {
  TestServer server([](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start_sse();
    co_await responder.write("data: x\n\n");
    co_await responder.finish();
  });
  const auto response = RawClient(server.endpoint()).request("GET /").read_response();
  EXPECT_EQ(response.headers.get("Content-Type"), "text/event-stream");
  EXPECT_EQ(response.headers.get("Cache-Control"), "no-cache");
  EXPECT_EQ(response.body, "data: x\n\n");
}

TEST(HttpServer, sends_no_body_where_http_has_none) {
  TestServer server([](ServerRequest& request, Responder& responder) -> Task<void> {
    co_await responder.send({.status = request.path == "/204" ? 204 : 200, .headers = {}, .body = "body"});
  });
  RawClient client(server.endpoint());
  EXPECT_THAT(client.request("HEAD /").read_until("\r\n\r\n"), HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(client.request("GET /204").read_until("\r\n\r\n"), Not(HasSubstr("Content-Length")));
  EXPECT_EQ(client.request("GET /").read_response().body, "body");
}

TEST(HttpServer, speaks_http_1_0_to_those_who_do) {
  TestServer server([](ServerRequest& request, Responder& responder) -> Task<void> {
    if (request.path == "/whole") co_return co_await answer_with("whole")(request, responder);
    co_await responder.start(200, {});
    co_await responder.write("streamed");
    co_await responder.finish();
  });
  EXPECT_THAT(RawClient(server.endpoint()).send("GET /whole HTTP/1.0\r\n\r\n").read_to_end(), testing::EndsWith("\r\n\r\nwhole"));
  const auto streamed = RawClient(server.endpoint()).send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").read_to_end();
  EXPECT_THAT(streamed, testing::EndsWith("\r\n\r\nstreamed"));
  EXPECT_THAT(streamed, Not(HasSubstr("chunked")));
}

TEST(HttpServer, gives_every_request_an_id_and_keeps_the_clients_own) {
  TestServer server(
      [](ServerRequest& request, Responder& responder) -> Task<void> { co_await answer_with(request.id)(request, responder); });
  RawClient client(server.endpoint());
  const auto first = client.request("GET /").read_response();
  const auto second = client.request("GET /").read_response();
  EXPECT_EQ(first.headers.get("X-Request-Id"), first.body);
  EXPECT_NE(first.body, second.body);
  EXPECT_EQ(client.request("GET /", {"X-Request-Id: mine-1"}).read_response().body, "mine-1");
  EXPECT_NE(client.request("GET /", {"X-Request-Id: not \"mine\""}).read_response().body, "not \"mine\"");
}

TEST(HttpServer, answers_for_a_handler_that_throws_or_says_nothing) {
  TestServer server([](ServerRequest& request, Responder&) -> Task<void> {
    if (request.path == "/throw") throw std::runtime_error("secret detail");
    co_return;
  });
  RawClient client(server.endpoint());
  const auto thrown = client.request("GET /throw").read_response();
  EXPECT_EQ(thrown.status, 500);
  EXPECT_THAT(thrown.body, Not(HasSubstr("secret detail")));
  EXPECT_EQ(client.request("GET /").read_response().status, 500);
}

TEST(HttpServer, drops_header_fields_that_would_break_the_answer) {
  TestServer server([](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.send({.status = 200, .headers = {{"A", "x\r\nB: y"}, {"Content-Length", "9"}, {"C", "z"}}, .body = "ok"});
  });
  const auto response = RawClient(server.endpoint()).request("GET /").read_response();
  EXPECT_FALSE(response.headers.contains("A"));
  EXPECT_FALSE(response.headers.contains("B"));
  EXPECT_EQ(response.headers.get("C"), "z");
  EXPECT_EQ(response.body, "ok");
}

TEST(HttpServer, refuses_a_second_answer) {
  std::string error;
  TestServer server([&](ServerRequest& request, Responder& responder) -> Task<void> {
    co_await answer_with("one")(request, responder);
    if (auto sent = co_await responder.send({.status = 200, .headers = {}, .body = "two"}); !sent) error = sent.error().message;
  });
  RawClient client(server.endpoint());
  EXPECT_EQ(client.request("GET /").read_response().body, "one");
  EXPECT_EQ(client.request("GET /").read_response().body, "one");
  EXPECT_EQ(server.network.call([&] { return error; }), "the request was answered already");
}

}  // namespace
}  // namespace puna::net
