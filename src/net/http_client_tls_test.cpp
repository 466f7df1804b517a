// Whom the client trusts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_client.h"
#include "net/loopback_testing.h"
#include "net/tls_testing.h"

namespace puna::net {
namespace {

using namespace loopback;
using testing::HasSubstr;

// Gives the answer, "ok" unless told, to whatever comes over TLS, until it goes.
class TlsServer {
 public:
  explicit TlsServer(const Identity& identity, std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
      : answer_(std::move(answer)), context_(SSL_CTX_new(TLS_server_method())), port_([this](int socket) { serve(socket); }) {
    SSL_CTX_use_certificate(context_, identity.certificate);
    SSL_CTX_use_PrivateKey(context_, identity.key);
  }
  ~TlsServer() {
    port_.stop();
    SSL_CTX_free(context_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] HttpRequest request() const {
    HttpRequest request;
    request.url = *Url::parse("https://localhost:" + std::to_string(port_.endpoint().port));
    request.retry = {.attempts = 3, .base = Milliseconds(1), .cap = Milliseconds(1)};
    return request;
  }

 private:
  void serve(int socket) {
    sigset_t pipe{};  // for this thread only: the client has to look after itself
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    SSL* tls = SSL_new(context_);
    SSL_set_fd(tls, socket);
    char request[4096];
    if (SSL_accept(tls) == 1 && SSL_read(tls, request, sizeof(request)) > 0)
      SSL_write(tls, answer_.data(), static_cast<int>(answer_.size()));
    SSL_free(tls);
  }

  const std::string answer_;
  SSL_CTX* context_;
  ScriptedPort port_;
};

TEST(HttpClientTls, trusts_the_authorities_in_the_file_it_is_given) {
  const TemporaryFolder folder;
  const Identity identity("localhost");
  identity.save(folder / "ca.pem");
  const TlsServer server(identity);
  TestClient client({.ca_file = folder / "ca.pem"});
  const auto response = client.fetch(server.request());
  ASSERT_TRUE(response) << response.error().text();
  EXPECT_EQ(response->body, "ok");
}

// ledger: T5
TEST(HttpClientTls, takes_an_unknown_authority_or_another_name_for_permanent) {
  const TemporaryFolder folder;
  const Identity other("elsewhere.example");
  other.save(folder / "ca.pem");
  const TlsServer server(other);
  for (const auto& trusted : {folder / "ca.pem", std::filesystem::path()}) {
    TestClient client({.ca_file = trusted});
    int retries = 0;
    auto request = server.request();
    request.on_retry = [&](const RetryNotice&) { ++retries; };
    const auto refused = client.fetch(request);
    EXPECT_EQ(refused.error().code, Code::upstream_failed);
    EXPECT_THAT(refused.error().message, HasSubstr("the certificate of localhost is not to be trusted"));
    EXPECT_EQ(retries, 0);
  }
}

TEST(HttpClientTls, a_redirect_to_an_unprotected_address_is_not_followed) {
  const TemporaryFolder folder;
  const Identity identity("localhost");
  identity.save(folder / "ca.pem");
  TestServer plain(answer_with("stolen"));
  const TlsServer server(identity, "HTTP/1.1 302 Found\r\nLocation: http://localhost:" + std::to_string(plain.endpoint().port) +
                                       "/\r\nContent-Length: 0\r\n\r\n");
  TestClient client({.ca_file = folder / "ca.pem"});
  EXPECT_THAT(client.fetch(server.request()).error().message, HasSubstr("to an unprotected connection"));
  EXPECT_EQ(plain.stats().connections, 0U);
}

TEST(HttpClientTls, says_so_when_the_other_side_does_not_speak_tls) {
  ScriptedPort port({"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n"});
  TestClient client;
  HttpRequest request;
  request.url = *Url::parse("https://localhost:" + std::to_string(port.endpoint().port));
  const auto refused = client.fetch(request);
  EXPECT_EQ(refused.error().code, Code::upstream_failed);
  EXPECT_THAT(refused.error().message, HasSubstr("no secure connection to localhost"));
}

}  // namespace
}  // namespace puna::net
