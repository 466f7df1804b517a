#include "client/scripted_daemon_testing.h"

#include <gtest/gtest.h>

#include "net/sse.h"

namespace puna::client {
namespace {

// A client may leave in the middle of an answer; whether that is right shows on its side.
net::Task<Result<>> send_stream(const std::vector<std::string>& data, Ending ending, net::Responder& responder) {
  PUNA_CO_CHECK(co_await responder.start_sse());
  for (const auto& piece : data) PUNA_CO_CHECK(co_await responder.write(net::sse_frame("", "", piece)));
  switch (ending) {
    case Ending::orderly:
      co_return co_await responder.finish();
    case Ending::held:
      co_return co_await net::sleep_for(kForever);
    case Ending::broken:
      break;
  }
  co_return Result<>();
}

}  // namespace

Script reply(int status, std::string body) {
  return [status, body = std::move(body)](net::ServerRequest&, net::Responder& responder) -> net::Task<void> {
    const auto sent = co_await responder.send({.status = status, .headers = {{"Content-Type", "application/json"}}, .body = body});
    EXPECT_TRUE(sent) << sent.error().text();
  };
}

Script reply_json(int status, const json::value& body) {
  return reply(status, json::to_text(body));
}

Script stream(std::vector<std::string> data, Ending ending) {
  return [data = std::move(data), ending](net::ServerRequest&, net::Responder& responder) -> net::Task<void> {
    // ignored: see send_stream()
    (void)co_await send_stream(data, ending, responder);
  };
}

Script silence(std::function<void()> asked, std::function<void()> left) {
  return [asked = std::move(asked), left = std::move(left)](net::ServerRequest&, net::Responder&) -> net::Task<void> {
    if (asked) asked();
    const auto ended = co_await net::sleep_for(kForever);
    EXPECT_FALSE(ended);
    if (left) left();
  };
}

std::string event(std::string_view type, const json::value& data) {
  return json::to_text({{"sequence", 1}, {"type", type}, {"time", ""}, {"data", data}});
}

ScriptedDaemon::ScriptedDaemon(const std::filesystem::path& socket) {
  server_.emplace(io_, net::ServerOptions{},
                  [this](net::ServerRequest& request, net::Responder& responder) { return handle(request, responder); });
  const auto listening = server_->listen_unix(socket);
  EXPECT_TRUE(listening) << listening.error().text();
  network_ = std::thread([this] { io_.run(); });
}

ScriptedDaemon::~ScriptedDaemon() {
  net::asio::post(io_.context(), [this] {
    server_.reset();
    io_.stop();
  });
  network_.join();
}

void ScriptedDaemon::on(const std::string& request, Script script) {
  const std::lock_guard lock(mutex_);
  scripts_[request] = std::move(script);
}

net::Task<void> ScriptedDaemon::handle(net::ServerRequest& request, net::Responder& responder) {
  const std::string key = fmt::format("{} {}", request.method, request.path);
  Script script = reply_json(500, {{"error", {{"code", "internal"}, {"message", "the test did not expect " + key}}}});
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(fmt::format("{} {}{}{}", request.method, request.target, request.body.empty() ? "" : " ", request.body));
    if (const auto found = scripts_.find(key); found != scripts_.end()) script = found->second;
  }
  co_await script(request, responder);
}

std::vector<std::string> ScriptedDaemon::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::string ScriptedDaemon::asked(std::string_view beginning) const {
  const auto all = asked();
  const auto found = std::ranges::find_if(all, [&](const std::string& text) { return text.starts_with(beginning); });
  return found == all.end() ? std::string() : *found;
}

}  // namespace puna::client
