#include "net/websocket.h"

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "net/loopback_testing.h"

namespace puna::net {
namespace {

using namespace loopback;
using namespace std::chrono_literals;
namespace websocket = boost::beast::websocket;

// Sends back what comes, until the client closes.
Task<void> echo(Responder& responder, WebSocketOptions options, std::vector<Code>& errors) {
  auto socket = co_await responder.upgrade(std::move(options));
  if (!socket) co_return;
  while (true) {
    auto message = co_await socket->read();
    if (!message) errors.push_back(message.error().code);
    if (!message || !*message) co_return;
    co_await ((*message)->text ? socket->write_text((*message)->data) : socket->write_binary((*message)->data));
  }
}

class WebSocketTest : public testing::Test {
 protected:
  // A client of another making, on the test's thread.
  struct Client {
    explicit Client(const Endpoint& endpoint) : stream(context) {
      stream.next_layer().connect({asio::ip::make_address("127.0.0.1"), endpoint.port});
      stream.handshake("localhost", "/");
    }
    std::string read() {
      boost::beast::flat_buffer buffer;
      stream.read(buffer, error);
      return boost::beast::buffers_to_string(buffer.data());
    }
    asio::io_context context;
    websocket::stream<asio::ip::tcp::socket> stream;
    boost::system::error_code error;
  };

  WebSocketOptions options_;
  std::vector<Code> errors_;
  TestServer server_{[this](ServerRequest&, Responder& responder) { return echo(responder, options_, errors_); }};
};

TEST_F(WebSocketTest, carries_texts_and_bytes_both_ways_until_it_is_closed) {
  Client client(server_.endpoint());
  client.stream.text(true);
  client.stream.write(asio::buffer(std::string_view("hello")));
  EXPECT_EQ(client.read(), "hello");
  EXPECT_TRUE(client.stream.got_text());
  const std::string bytes(1 << 20, '\xff');
  client.stream.binary(true);
  client.stream.write(asio::buffer(bytes));
  EXPECT_EQ(client.read(), bytes);
  EXPECT_TRUE(client.stream.got_binary());
  client.stream.close(websocket::close_code::normal);
  server_.expect_soon([](const auto& stats) { return stats.connections == 0; }, "no connection");
  EXPECT_TRUE(errors_.empty());
}

TEST_F(WebSocketTest, takes_messages_that_came_right_behind_the_handshake) {
  RawClient client(server_.endpoint());
  const std::string_view masked_hi("\x81\x82\0\0\0\0hi", 8);
  client.send(
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
      std::string(masked_hi));
  const auto answer = client.read_until("\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 101 ")) << answer;
  EXPECT_NE(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);  // RFC 6455, section 1.3
  EXPECT_EQ(client.read_exactly(4), "\x81\x02hi");
}

TEST_F(WebSocketTest, refuses_messages_beyond_its_limit) {
  options_.max_message = kib(1);
  Client client(server_.endpoint());
  client.stream.write(asio::buffer(std::string(2000, 'x')));
  client.read();
  EXPECT_EQ(client.stream.reason().code, websocket::close_code::too_big);
  server_.expect_soon([](const auto& stats) { return stats.connections == 0; }, "no connection");
  EXPECT_EQ(errors_, std::vector{Code::too_large});
}

// ledger: T9
TEST_F(WebSocketTest, gives_up_a_peer_that_does_not_answer_its_pings) {
  options_.idle = 40ms;
  Client client(server_.endpoint());  // never reads, so never answers
  server_.expect_soon([](const auto& stats) { return stats.connections == 0; }, "no connection");
  EXPECT_EQ(errors_, std::vector{Code::deadline_exceeded});
}

TEST_F(WebSocketTest, ends_when_the_server_drains) {
  Client client(server_.endpoint());
  server_.network.run(server_.server->drain(1ms));
  EXPECT_EQ(server_.stats().connections, 0);
  EXPECT_EQ(errors_, std::vector{Code::cancelled});
}

TEST(WebSocket, is_not_made_of_an_ordinary_request) {
  Code code = Code::internal;
  TestServer server([&](ServerRequest& request, Responder& responder) -> Task<void> {
    if (auto socket = co_await responder.upgrade(); !socket) code = socket.error().code;
    co_await answer_with("plain")(request, responder);
  });
  EXPECT_EQ(RawClient(server.endpoint()).request("GET /").read_response().body, "plain");
  EXPECT_EQ(code, Code::invalid_argument);
}

}  // namespace
}  // namespace puna::net
