#include "telemetry/telemetry_testing.h"

namespace puna::telemetry {

using net::loopback::kPatience;

TestCollector::TestCollector(std::vector<net::Response> answers) : answers_(std::move(answers)) {
  server_ = std::make_unique<net::loopback::TestServer>(
      [this](net::ServerRequest& request, net::Responder& responder) { return answer(request, responder); });
  network().call([this] {
    came_ = std::make_unique<net::Notifier>(network().io);
    http = std::make_unique<net::HttpClient>(network().io, net::ClientOptions{});
  });
}

TestCollector::~TestCollector() {
  network().call([this] { http.reset(); });
}

net::Task<void> TestCollector::answer(net::ServerRequest& request, net::Responder& responder) {
  requests_.push_back(request);
  came_->notify();
  const auto number = std::min(requests_.size(), answers_.size()) - 1;
  // ignored: it ends with the server
  if (silent_) (void)co_await net::sleep_for(kForever);
  // ignored: the client may be gone
  (void)co_await responder.send(answers_[number]);
}

void TestCollector::await(std::size_t requests) {
  const auto came = network().run([](TestCollector& self, std::size_t wanted) -> net::Task<Result<>> {
    while (self.requests_.size() < wanted) PUNA_CO_CHECK(co_await self.came_->wait(self.came_->epoch(), kPatience));
    co_return Result<>();
  }(*this, requests));
  EXPECT_TRUE(came) << "no request came";
}

net::Task<Result<>> TestCollector::first() {
  while (requests_.empty()) PUNA_CO_CHECK(co_await came_->wait(came_->epoch(), kPatience));
  co_return Result<>();
}

std::string nobodys_url() {
  net::loopback::TestServer gone(net::loopback::answer_with(""));
  return fmt::format("http://127.0.0.1:{}", gone.endpoint().port);
}

}  // namespace puna::telemetry
