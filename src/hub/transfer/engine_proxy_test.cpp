// What a proxy does to a transfer.
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <thread>
#include <vector>

#include "hub/transfer/engine_testing.h"
#include "os/descriptor.h"

namespace puna::hub::transfer {
namespace {

using namespace testing_rig;
using testing::AllOf;
using testing::HasSubstr;

// Gives every connection one answer, or none, and closes it.
class RawProxy {
 public:
  explicit RawProxy(std::string answer) : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), generic, length), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), generic, &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~RawProxy() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept()
    thread_.join();
  }
  RawProxy(const RawProxy&) = delete;
  RawProxy& operator=(const RawProxy&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  void serve() {
    while (true) {
      const os::UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer) return;
      std::string request;
      char c = 0;
      while (!request.ends_with("\r\n\r\n") && ::recv(peer.get(), &c, 1, 0) == 1) request += c;
      ++asked_;
      ::send(peer.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
    }
  }

  const std::string answer_;
  const os::UniqueFd listener_;
  int port_ = 0;
  std::atomic<int> asked_ = 0;
  std::thread thread_;
};

constexpr std::string_view kWantsName =
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

class Proxied : public EngineTest {
 protected:
  // What comes of a file at the URL, by way of the proxy.
  Error refusal_of_url(const RawProxy& proxy, const std::string& url) {
    auto wanted = serve(noise(1000));
    wanted.locate = [url](Why, const std::stop_token&) -> Result<Location> {
      return Location{.url = net::Url::parse(url).value(), .headers = {}};
    };
    start().engine.configure({.proxy = proxy.url()});
    return refusal_of(wanted);
  }
};

TEST_F(Proxied, a_proxy_that_wants_a_name_and_a_password_is_said_at_once) {
  const RawProxy proxy{std::string(kWantsName)};
  for (const auto* url : {"http://storage.invalid/f", "https://storage.invalid/f"}) {
    const auto before = proxy.asked();
    const auto error = refusal_of_url(proxy, url);
    EXPECT_THAT(error.text(), AllOf(HasSubstr("proxy"), HasSubstr("password"))) << url;
    EXPECT_EQ(error.code, Code::unauthenticated) << url;
    EXPECT_EQ(proxy.asked() - before, 1) << url;
  }
}

TEST_F(Proxied, a_proxy_that_drops_connect_is_given_up_after_the_usual_tries) {
  const RawProxy proxy{""};
  const auto error = refusal_of_url(proxy, "https://storage.invalid/f");
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.text(), AllOf(HasSubstr("giving up after 3 tries"), HasSubstr("roxy")));
  EXPECT_EQ(proxy.asked(), 3);
}

}  // namespace
}  // namespace puna::hub::transfer
