// Bodies that a handler reads itself, as they come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_server.h"
#include "net/loopback_testing.h"

namespace puna::net {
namespace {

using namespace loopback;
using namespace std::chrono_literals;
using testing::HasSubstr;

Task<void> count_body(ServerRequest& request, Responder& responder) {
  std::size_t total = 0;
  while (true) {
    const auto piece = co_await request.read_body();
    if (!piece) {
      // ignored: the client may be gone, and the test looks at its side
      [[maybe_unused]] const auto sent = co_await responder.send({400, {}, std::string(to_string(piece.error().code))});
      co_return;
    }
    if (!*piece) break;
    total += (*piece)->size();
  }
  // ignored: as above
  [[maybe_unused]] const auto sent = co_await responder.send({200, {}, std::to_string(total)});
}

ServerOptions streaming(Bytes limit) {
  ServerOptions options{.max_body = kib(1), .body_deadline = 100ms};
  options.streamed_body = [limit](const ServerRequest& request) { return request.path == "/upload" ? std::optional(limit) : std::nullopt; };
  return options;
}

TEST(HttpServerUploads, come_in_pieces_beyond_the_limit_of_a_body_in_memory) {
  TestServer server(count_body, streaming(mib(8)));
  RawClient client(server.endpoint());
  EXPECT_EQ(client.request("POST /upload", {"Content-Length: 3000000"}).send(std::string(3'000'000, 'x')).read_response().body, "3000000");
  client.request("POST /upload", {"Transfer-Encoding: chunked"}).send("5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "8") << "the connection goes on";
  EXPECT_EQ(client.request("POST /upload", {"Content-Length: 0"}).read_response().body, "0");
}

TEST(HttpServerUploads, of_a_stated_length_beyond_their_limit_are_refused_before_they_are_sent) {
  TestServer server(count_body, streaming(kib(2)));
  RawClient client(server.endpoint());
  EXPECT_EQ(client.request("POST /upload", {"Content-Length: 2049"}).read_response().status, 413);
}

TEST(HttpServerUploads, in_chunks_beyond_their_limit_fail_where_they_are_read) {
  TestServer server(count_body, streaming(kib(2)));
  RawClient client(server.endpoint());
  client.request("POST /upload", {"Transfer-Encoding: chunked"}).send("1000\r\n" + std::string(4096, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "too_large");
  EXPECT_EQ(client.read_to_end(), "");
}

// ledger: T9
TEST(HttpServerUploads, that_stop_fail_after_the_deadline) {
  TestServer server(count_body, streaming(mib(1)));
  RawClient client(server.endpoint());
  EXPECT_EQ(client.request("POST /upload", {"Content-Length: 100"}).send("half").read_response().body, "deadline_exceeded");
}

TEST(HttpServerUploads, are_asked_for_only_by_a_handler_that_reads_them) {
  TestServer reads(count_body, streaming(mib(1)));
  RawClient client(reads.endpoint());
  client.request("POST /upload", {"Content-Length: 4", "Expect: 100-continue"});
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("100 Continue"));
  EXPECT_EQ(client.send("body").read_response().body, "4");
  TestServer refuses(answer_with("no"), streaming(mib(1)));
  RawClient refused(refuses.endpoint());
  const auto answer = refused.request("POST /upload", {"Content-Length: 4", "Expect: 100-continue"}).read_response();
  EXPECT_EQ(answer.headers.get("Connection"), "close");
  EXPECT_EQ(answer.body, "no");
}

}  // namespace
}  // namespace puna::net
