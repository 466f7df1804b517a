#include "daemon/ollama_listener.h"

#include <gtest/gtest.h>

#include "net/http_client.h"

namespace puna::daemon {
namespace {

class OllamaListenerTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<OllamaListener>> open(std::uint16_t port) {
    return OllamaListener::open(
        io_, {},
        [](net::ServerRequest& request, net::Responder& responder) -> net::Task<void> {
          const auto sent = co_await responder.send({200, {}, "handled " + request.path});
          EXPECT_TRUE(sent);
        },
        port);
  }
  std::string get(OllamaListener& listener, std::string_view path) {
    net::HttpRequest request;
    request.url = net::Url::parse(fmt::format("http://{}{}", listener.address(), path)).value();
    const auto answer = net::run_blocking(io_, http_.fetch(std::move(request)));
    return answer ? answer->body : answer.error().text();
  }

  net::Io io_{1};
  net::HttpClient http_{io_, {}};
};

TEST_F(OllamaListenerTest, says_what_ollamas_clients_look_for_and_leaves_all_else_to_the_daemon) {
  auto listener = open(0);
  ASSERT_TRUE(listener);
  EXPECT_EQ(get(**listener, "/"), "Ollama is running");
  EXPECT_EQ(get(**listener, "/api/tags"), "handled /api/tags");
}

TEST_F(OllamaListenerTest, a_port_that_is_taken_is_told_with_its_holder) {
  const auto first = open(0);
  ASSERT_TRUE(first);
  const auto& address = (*first)->address();
  const auto second = open(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos) << second.error().message;
}

}  // namespace
}  // namespace puna::daemon
