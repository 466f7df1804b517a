// The server's promises, over TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <fstream>

#include "net/loopback_testing.h"
#include "net/tls_testing.h"

namespace puna::net {
namespace {

using namespace loopback;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

struct TlsScene {
  explicit TlsScene(Handler handler, ServerOptions options = {}) : server(std::move(handler), std::move(options)) {
    use(identity);
    endpoint = server.network.call([this] { return server.server->listen_tcp("127.0.0.1", 0, Security::tls).value(); });
  }
  void use(const Identity& shown) {
    auto loaded = TlsIdentity::load(shown.save_in(folder / "tls")).value();
    server.network.call([&] {
      server.server->use_tls(std::move(loaded));
      return true;
    });
  }
  HttpRequest request(std::string_view target) const {
    HttpRequest out;
    out.url = *Url::parse(fmt::format("https://localhost:{}{}", endpoint.port, target));
    return out;
  }
  TemporaryFolder folder;
  Identity identity{"localhost"};
  TestServer server;
  Endpoint endpoint;
};

Task<void> echo(ServerRequest& request, Responder& responder) {
  // ignored: the test looks at the client's side
  [[maybe_unused]] const auto sent = co_await responder.send({200, {}, request.body});
}

TEST(HttpServerTls, serves_a_client_that_checks_the_certificate) {
  TlsScene scene(echo);
  TestClient client({.ca_file = scene.folder / "tls" / "cert.pem"});
  for (const std::size_t size : {1U, 100'000U, 5'000'000U}) {
    auto request = scene.request("/");
    request.method = "POST";
    request.body = std::string(size, 'x');
    const auto answer = client.fetch(request);
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->body.size(), size);
  }
  EXPECT_EQ(scene.server.stats().connections, 1U) << "the connection is kept";
}

TEST(HttpServerTls, streams_each_piece_when_it_is_written_and_tells_the_end) {
  NetworkThread other;
  Gate gate(other.io);
  TlsScene scene([&](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start_sse();
    co_await responder.write("data: one\n\n");
    co_await gate.pass();
    co_await responder.write("data: two\n\n");
    co_await responder.finish();
  });
  TlsClient client(scene.endpoint);
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_until("data: one\n\n"), HasSubstr("data: one"));
  gate.open();
  EXPECT_THAT(client.read_to_end(), HasSubstr("data: two"));
  EXPECT_TRUE(client.told_end());
}

// ledger: T9
TEST(HttpServerTls, speaks_neither_old_versions_nor_plain_text) {
  TlsScene scene(echo);
  EXPECT_TRUE(TlsClient(scene.endpoint, TLS1_2_VERSION).connected());
  EXPECT_FALSE(TlsClient(scene.endpoint, TLS1_1_VERSION).connected());
  RawClient plain(scene.endpoint);
  EXPECT_THAT(plain.send(kGet).read_to_end(), testing::Not(HasSubstr("HTTP")));
}

// ledger: T9
TEST(HttpServerTls, ends_a_client_that_does_not_shake_hands_in_time) {
  TlsScene scene(echo, {.header_deadline = 50ms});
  RawClient silent(scene.endpoint);
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient slow(scene.endpoint);
  EXPECT_EQ(slow.send("\x16\x03\x01").read_to_end(), "");
}

// ledger: T9
TEST(HttpServerTls, ends_a_client_that_sends_its_header_too_slowly) {
  TlsScene scene(echo, {.header_deadline = 50ms});
  TlsClient client(scene.endpoint);
  EXPECT_THAT(client.send("GET / HT").read_to_end(), StartsWith("HTTP/1.1 408"));
}

// ledger: T9
TEST(HttpServerTls, ends_an_answer_that_its_client_does_not_take) {
  std::promise<Error> told;
  TlsScene scene(answer_until_it_fails(told), {.body_deadline = 50ms});
  TlsClient client(scene.endpoint);
  client.send(kGet).read_until("\r\n\r\n");
  EXPECT_EQ(error_of(told).code, Code::deadline_exceeded);
}

TEST(HttpServerTls, cancels_the_handler_of_a_client_that_goes_away) {
  std::promise<Code> ended;
  TlsScene scene([&](ServerRequest&, Responder&) -> Task<void> {
    const auto waited = co_await sleep_for(kForever);
    ended.set_value(waited ? Code::internal : waited.error().code);
  });
  {
    TlsClient client(scene.endpoint);
    client.send(kGet);
    scene.server.expect_soon([](const auto& stats) { return stats.active_requests == 1; }, "a running handler");
  }
  auto code = ended.get_future();
  ASSERT_EQ(code.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(code.get(), Code::cancelled);
  scene.server.expect_soon([](const auto& stats) { return stats.connections == 0; }, "no connection");
}

TEST(HttpServerTls, lets_a_refused_client_read_the_answer_while_it_still_sends) {
  TlsScene scene(echo, {.max_body = kib(1)});
  TlsClient client(scene.endpoint);
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n").send(std::string(1'000'000, 'x'));
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 413"));
}

TEST(HttpServerTls, carries_websockets) {
  TlsScene scene([](ServerRequest&, Responder& responder) -> Task<void> {
    auto socket = co_await responder.upgrade();
    if (!socket) co_return;
    if (const auto message = co_await socket->read(); message && *message) co_await socket->write_text((*message)->data);
    co_await socket->close();
  });
  TlsClient client(scene.endpoint);
  client.send(
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
      std::string("\x81\x82\0\0\0\0hi", 8));
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(client.read_exactly(4), "\x81\x02hi");
}

TEST(HttpServerTls, shows_a_new_certificate_to_new_connections_and_keeps_the_others) {
  TlsScene scene(echo);
  TlsClient before(scene.endpoint);
  scene.use(Identity("renewed.example"));
  EXPECT_EQ(TlsClient(scene.endpoint).server_name(), "renewed.example");
  EXPECT_EQ(before.server_name(), "localhost");
  EXPECT_THAT(before.send(kGet).read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST(TlsIdentity, wants_a_key_that_only_its_owner_can_take) {
  const TemporaryFolder folder;
  const auto files = Identity("localhost").save_in(folder / "tls");
  ::chmod(files.key.c_str(), 0644);
  const auto refused = TlsIdentity::load(files);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::permission_denied);
  EXPECT_THAT(refused.error().message, HasSubstr("chmod 600"));
  ::chmod(files.key.c_str(), 0640);
  EXPECT_TRUE(TlsIdentity::load(files)) << "a group of servers, as Debian has one";
}

TEST(TlsIdentity, says_which_file_is_wrong) {
  const TemporaryFolder folder;
  auto files = Identity("localhost").save_in(folder / "a");
  const auto other = Identity("localhost").save_in(folder / "b");
  EXPECT_THAT(TlsIdentity::load({files.certificate, other.key}).error().message, HasSubstr("is not that of the certificate"));
  EXPECT_THAT(TlsIdentity::load({folder / "none.pem", files.key}).error().message, HasSubstr("none.pem: No such file"));
  EXPECT_EQ(TlsIdentity::load({files.certificate, folder / "none.pem"}).error().code, Code::not_found);
  std::ofstream(files.certificate) << "nonsense";
  EXPECT_THAT(TlsIdentity::load(files).error().message, HasSubstr("it is not PEM"));
}

TEST(TlsIdentity, knows_when_it_expires) {
  const TemporaryFolder folder;
  const auto identity = TlsIdentity::load(Identity("localhost").save_in(folder / "tls")).value();
  const auto left = identity->expires() - std::chrono::system_clock::now();
  EXPECT_GT(left, 50min);
  EXPECT_LT(left, 61min);
}

}  // namespace
}  // namespace puna::net
