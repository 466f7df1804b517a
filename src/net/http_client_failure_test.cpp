// What goes wrong, what is said of it, and what is tried again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>

#include "net/http_client.h"
#include "net/loopback_testing.h"

namespace puna::net {
namespace {

using namespace loopback;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

const RetryPolicy kQuick{.attempts = 4, .base = 1ms, .cap = 2ms};

// Answers with the statuses, one a request, then with 200.
Handler answer_statuses(std::vector<int> statuses, Headers headers = {}) {
  return [statuses = std::move(statuses), headers = std::move(headers), next = 0UZ](ServerRequest&,
                                                                                    Responder& responder) mutable -> Task<void> {
    const bool fails = next < statuses.size();
    co_await responder.send({.status = fails ? statuses[next++] : 200, .headers = fails ? headers : Headers(), .body = "body"});
  };
}

// ledger: T9
TEST(HttpClientDeadlines, end_a_request_whose_answer_does_not_begin) {
  TestServer server([&](ServerRequest&, Responder&) -> Task<void> { co_await sleep_for(kForever); });
  TestClient client(server);
  auto request = client.to("/slow?secret=1");
  request.deadlines.first_byte = 20ms;
  const auto late = client.fetch(request);
  EXPECT_EQ(late.error().code, Code::deadline_exceeded);
  EXPECT_EQ(late.error().message, "http://127.0.0.1:" + std::to_string(server.endpoint().port) + "/slow: no answer came within 20 ms");
  server.expect_soon([](const auto& stats) { return stats.connections == 0; }, "the server learns of it");
}

// ledger: T9
TEST(HttpClientDeadlines, end_an_answer_that_stops_in_the_middle_or_takes_too_long_in_all) {
  TestServer server([&](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start(200, {});
    co_await responder.write("begun");
    co_await sleep_for(kForever);
  });
  TestClient client(server);
  auto request = client.to("/");
  request.deadlines.idle = 20ms;
  EXPECT_THAT(client.fetch(request).error().message, HasSubstr("nothing more came within 20 ms"));
  request.deadlines = {.total = 30ms};
  EXPECT_THAT(client.fetch(request).error().message, HasSubstr("the whole answer did not come within 30 ms"));
  std::string read;
  client.run([&](HttpClient& http) -> Task<Result<>> {
    request.deadlines = {.idle = 150ms};
    PUNA_CO_TRY(auto stream, co_await http.open(request));
    PUNA_CO_TRY(auto piece, co_await stream.read());
    read = *piece;
    auto more = co_await stream.read();
    EXPECT_EQ(more.error().code, Code::deadline_exceeded);
    co_return Result<>();
  });
  EXPECT_EQ(read, "begun");
}

// ledger: T9
TEST(HttpClientDeadlines, end_an_attempt_to_connect) {
  const FullPort port;  // takes no more connections
  TestClient client;
  HttpRequest request;
  request.url = *Url::parse("127.0.0.1:" + std::to_string(port.endpoint().port));
  request.deadlines.connect = 30ms;
  const auto late = client.fetch(request);
  EXPECT_EQ(late.error().code, Code::deadline_exceeded);
  EXPECT_THAT(late.error().message,
              StartsWith("no connection to 127.0.0.1 port " + std::to_string(port.endpoint().port) + " within 30 ms"));
}

// The next connection often gets the same descriptor.
TEST(HttpClientDeadlines, an_attempt_to_connect_that_ended_costs_the_next_one_nothing) {
  TestServer server(answer_with("body"));
  const FullPort port;
  TestClient client;
  HttpRequest hopeless, good;
  hopeless.url = *Url::parse("127.0.0.1:" + std::to_string(port.endpoint().port));
  hopeless.deadlines.connect = 30ms;
  good.url = *Url::parse("127.0.0.1:" + std::to_string(server.endpoint().port));
  good.deadlines = {.connect = 60s, .total = 5s};
  good.own_connection = true;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.fetch(hopeless).error().code, Code::deadline_exceeded);
    const auto response = client.fetch(good);
    ASSERT_TRUE(response) << response.error().text();
  }
}

// ledger: T5
TEST(HttpClientRetries, go_on_until_a_passing_failure_has_passed) {
  TestServer server(answer_statuses({503, 500}));
  TestClient client(server);
  std::vector<std::string> notices;
  auto request = client.to("/");
  request.retry = kQuick;
  request.on_retry = [&](const RetryNotice& notice) {
    notices.push_back(std::to_string(notice.failed_attempt) + " " + notice.error.message);
  };
  EXPECT_EQ(client.fetch(request)->status, 200);
  ASSERT_EQ(notices.size(), 2);
  EXPECT_THAT(notices[0], testing::MatchesRegex("1 http://.* answered 503 Service Unavailable"));
  EXPECT_EQ(server.stats().requests, 3);
}

// ledger: T5
TEST(HttpClientRetries, end_with_the_last_answer_when_the_attempts_are_used_up) {
  TestServer server(answer_statuses({500, 500, 500, 502}));
  TestClient client(server);
  auto request = client.to("/");
  request.retry = kQuick;
  EXPECT_EQ(client.fetch(request)->status, 502);
  EXPECT_EQ(server.stats().requests, 4);
}

// ledger: T5
TEST(HttpClientRetries, do_not_repeat_what_is_permanent) {
  for (int status : {400, 401, 403, 404, 409, 501}) {
    TestServer server(answer_statuses({status}));
    TestClient client(server);
    auto request = client.to("/");
    request.retry = kQuick;
    EXPECT_EQ(client.fetch(request)->status, status);
  }
}

// ledger: T5
TEST(HttpClientRetries, do_not_repeat_a_post_that_may_have_been_acted_on) {
  const auto asked = [](std::vector<int> statuses, bool repeatable) {
    TestServer server(answer_statuses(std::move(statuses)));
    TestClient client(server);
    auto request = client.to("/");
    request.method = "POST";
    request.retry = kQuick;
    request.repeatable = repeatable;
    return client.fetch(request)->status;
  };
  EXPECT_EQ(asked({503}, false), 503);
  EXPECT_EQ(asked({503}, true), 200);
  EXPECT_EQ(asked({429, 425, 408}, false), 200);  // these say that nothing was done
}

// ledger: T5
TEST(HttpClientRetries, wait_as_long_as_the_server_asks_but_not_for_ever) {
  for (const auto& [asked, waits] : {std::pair("30", true), {"3600", false}}) {
    TestServer server(answer_statuses({429}, {{"Retry-After", asked}}));
    TestClient client(server);
    Milliseconds delay{0};
    auto request = client.to("/");
    request.retry = kQuick;
    std::optional<Result<HttpResponse>> response;
    client.run([&](HttpClient& http) -> Task<Result<>> {
      Spawned running;
      request.on_retry = [&](const RetryNotice& notice) {
        delay = notice.delay;
        running.cancel();  // instead of waiting
      };
      const auto asking = [&]() -> Task<void> { response = co_await http.fetch(request); };
      running = spawn(server.network.io, "fetch", asking());
      co_await running.join();
      co_return Result<>();
    });
    ASSERT_TRUE(response);
    EXPECT_EQ(delay, waits ? 30s : 0s);
    EXPECT_EQ(waits ? response->error().code : Code::cancelled, Code::cancelled);
    EXPECT_EQ(response->has_value(), !waits);
  }
}

// ledger: T5
TEST(HttpClientRetries, repeat_after_a_reset_and_name_the_attempts_in_the_end) {
  ScriptedPort port({"", "", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
  TestClient client;
  HttpRequest request;
  request.url = *Url::parse("127.0.0.1:" + std::to_string(port.endpoint().port));
  request.retry = kQuick;
  const auto response = client.fetch(request);
  ASSERT_TRUE(response) << response.error().text();
  EXPECT_EQ(response->body, "ok");
  ScriptedPort dead({"", ""});
  request.url.port = dead.endpoint().port;
  request.retry.attempts = 2;
  const auto failed = client.fetch(request);
  EXPECT_EQ(failed.error().code, Code::unavailable);
  EXPECT_THAT(failed.error().text(), HasSubstr("attempt 2 of 2"));
}

TEST(HttpClientFailures, tell_a_cut_answer_and_one_that_is_not_http) {
  for (const auto& [answer, code, said] : {std::tuple("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", Code::unavailable, "was lost"),
                                           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", Code::unavailable, "was lost"},
                                           {"SSH-2.0-OpenSSH_9.2\r\n", Code::upstream_failed, "does not answer in HTTP"},
                                           {"", Code::unavailable, "was lost"}}) {
    ScriptedPort port({answer});
    TestClient client;
    HttpRequest request;
    request.url = *Url::parse("127.0.0.1:" + std::to_string(port.endpoint().port));
    const auto failed = client.fetch(request);
    ASSERT_FALSE(failed) << answer;
    EXPECT_EQ(failed.error().code, code) << failed.error().text();
    EXPECT_THAT(failed.error().message, HasSubstr(said));
  }
}

TEST(HttpClientFailures, tell_a_refused_connection) {
  TestClient client;
  HttpRequest request;
  {
    const FullPort closed;
    request.url = *Url::parse("127.0.0.1:" + std::to_string(closed.endpoint().port));
  }
  const auto failed = client.fetch(request);
  EXPECT_EQ(failed.error().code, Code::unavailable);
  EXPECT_THAT(failed.error().message, testing::MatchesRegex("cannot connect to 127.0.0.1 port [0-9]+: Connection refused"));
}

// ledger: T12
TEST(HttpClientFailures, tell_a_name_that_is_not_found_and_a_missing_network) {
  TestClient client;
  HttpRequest request;
  request.url = *Url::parse("http://nowhere.invalid/");
  const auto failed = client.fetch(request);
  EXPECT_EQ(failed.error().code, Code::unavailable);
  EXPECT_THAT(failed.error().message, StartsWith("could not resolve host 'nowhere.invalid'"));
  EXPECT_EQ(failed.error().message.ends_with("; this machine has no network connection"), !network_present());
}

// ledger: T12
TEST(HttpClientFailures, contact_no_other_machine_in_offline_mode) {
  TestServer server(answer_with("here"));
  TestClient client(server, {.offline = true});
  EXPECT_EQ(client.fetch(client.to("/"))->body, "here");
  HttpRequest request;
  request.url = *Url::parse("https://example.com/x");
  request.retry = kQuick;
  EXPECT_EQ(client.fetch(request).error().message, "https://example.com/x is not asked: offline mode is on (setting network.offline)");
}

TEST(HttpClientFailures, refuse_requests_that_are_none) {
  TestClient client;
  HttpRequest request;
  request.url = *Url::parse("ftp://h/x");
  EXPECT_EQ(client.fetch(request).error().code, Code::invalid_argument);
  request.url = *Url::parse("http://127.0.0.1:1/x");
  request.headers = {{"X", "a\r\nY: b"}};
  EXPECT_EQ(client.fetch(request).error().code, Code::invalid_argument);
  request.headers = {};
  request.method = "GET /evil";
  EXPECT_EQ(client.fetch(request).error().code, Code::invalid_argument);
}

TEST(HttpClientFailures, bound_what_a_server_may_send) {
  TestServer server([](ServerRequest& request, Responder& responder) -> Task<void> {
    Headers headers;
    if (request.path == "/headers") headers.add("X", std::string(5000, 'x'));
    co_await responder.send({.status = 200, .headers = std::move(headers), .body = std::string(2000, 'x')});
  });
  TestClient client(server, {.max_header = kib(4)});
  auto request = client.to("/");
  request.max_body = Bytes(1999);
  EXPECT_EQ(client.fetch(request).error().code, Code::too_large);
  request.max_body = Bytes(2000);
  EXPECT_TRUE(client.fetch(request));
  EXPECT_THAT(client.fetch(client.to("/headers")).error().message, HasSubstr("are larger than 4.00 KiB"));
}

TEST(HttpClientCancel, ends_a_request_and_the_servers_work_on_it) {
  TestServer server([&](ServerRequest&, Responder&) -> Task<void> { co_await sleep_for(kForever); });
  TestClient client(server);
  std::optional<Result<HttpResponse>> response;
  client.run([&](HttpClient& http) -> Task<Result<>> {
    const auto asking = [&]() -> Task<void> { response = co_await http.fetch(client.to("/")); };
    auto running = spawn(server.network.io, "fetch", asking());
    while (server.server->stats().active_requests == 0) PUNA_CO_CHECK(co_await sleep_for(1ms));
    running.cancel();
    co_await running.join();
    co_return Result<>();
  });
  EXPECT_EQ(response->error().code, Code::cancelled);
  server.expect_soon([](const auto& stats) { return stats.connections == 0; }, "no connection");
}

TEST(HttpClientCancel, comes_with_dropping_a_stream_or_the_client) {
  TestServer server([](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start(200, {});
    while (co_await responder.write("more") && co_await sleep_for(1ms)) {
    }
  });
  TestClient client(server);
  client.run([&](HttpClient& http) -> Task<Result<>> {
    PUNA_CO_TRY(const auto stream, co_await http.open(client.to("/")));
    co_return Result<>();
  });
  server.expect_soon([](const auto& stats) { return stats.active_requests == 0; }, "no request");
  client.run([&](HttpClient&) -> Task<Result<>> {
    auto own = std::make_unique<HttpClient>(server.network.io, ClientOptions{});
    PUNA_CO_TRY(auto stream, co_await own->open(client.to("/")));
    own.reset();
    Result<std::optional<std::string>> piece;
    while (piece) piece = co_await stream.read();
    EXPECT_EQ(piece.error().code, Code::cancelled);
    co_return Result<>();
  });
}

TEST(StatusError, says_what_the_server_said) {
  const auto message = [](Headers headers, std::string body) {
    return status_error("the hub", {.status = 404, .headers = std::move(headers), .body = std::move(body)}).message;
  };
  EXPECT_EQ(message({}, R"({"error":{"message":"no such model"}})"), "the hub answered 404 Not Found: no such model");
  EXPECT_EQ(message({}, R"({"error":"gone"})"), "the hub answered 404 Not Found: gone");
  EXPECT_EQ(message({{"Content-Type", "text/plain"}}, "  plain \n"), "the hub answered 404 Not Found: plain");
  EXPECT_EQ(message({{"Content-Type", "text/html"}}, "<html>"), "the hub answered 404 Not Found");
  const auto busy = status_error("x", {.status = 429, .headers = {{"Retry-After", "7"}}, .body = {}});
  EXPECT_EQ(busy.code, Code::overloaded);
  EXPECT_EQ(busy.retry_after, 7s);
}

TEST(HttpClientFailures, the_rest_of_an_earlier_answer_is_a_lost_connection_and_passes) {
  std::atomic<int> served = 0;
  ScriptedPort port([&](int socket) {
    std::array<char, 4096> request{};
    for (const std::string_view answer : {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "what did not fit into two bytes\r\n"}) {
      if (::recv(socket, request.data(), request.size(), 0) <= 0) return;
      ++served;
      ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  });
  TestClient client;
  HttpRequest request;
  request.url = *Url::parse("http://127.0.0.1:" + std::to_string(port.endpoint().port) + "/");
  EXPECT_EQ(client.fetch(request)->body, "ok");
  EXPECT_EQ(client.fetch(request).error().code, Code::unavailable);
  EXPECT_EQ(client.fetch(request)->body, "ok");
  EXPECT_EQ(served, 3);
}

}  // namespace
}  // namespace puna::net
