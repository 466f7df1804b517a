// For this module's tests: a collector that answers as a test says.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "net/loopback_testing.h"

namespace puna::telemetry {

class TestCollector {
 public:
  // The first answer to the first request, and so on; the last one to all others.
  explicit TestCollector(std::vector<net::Response> answers = {{200, {}, "{}"}});
  ~TestCollector();

  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->endpoint().port); }
  [[nodiscard]] std::vector<net::ServerRequest> requests() {
    return network().call([this] { return requests_; });
  }
  // Returns once so many requests have come.
  void await(std::size_t requests);
  // The same for one, on the network thread.
  [[nodiscard]] net::Task<Result<>> first();
  // Keeps answers back from now on, for good.
  void fall_silent() { silent_ = true; }

  [[nodiscard]] net::loopback::NetworkThread& network() { return server_->network; }
  std::unique_ptr<net::HttpClient> http;  // on the same thread

 private:
  net::Task<void> answer(net::ServerRequest& request, net::Responder& responder);

  std::vector<net::Response> answers_;
  std::vector<net::ServerRequest> requests_;
  std::atomic<bool> silent_ = false;
  std::unique_ptr<net::loopback::TestServer> server_;
  std::unique_ptr<net::Notifier> came_;
};

// A port at which nobody listens.
[[nodiscard]] std::string nobodys_url();

}  // namespace puna::telemetry
