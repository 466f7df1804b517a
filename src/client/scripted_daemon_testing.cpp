#include "client/scripted_daemon_testing.h"

#include <gtest/gtest.h>

#include "net/sse.h"

namespace puna::client {
namespace {

net::Task<void> send_reply(net::Responder& responder, int status, std::string body) {
  const auto sent = co_await responder.send({.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)});
  EXPECT_TRUE(sent) << sent.error().text();
}

// A client may leave in the middle of an answer; whether that is right shows on its side.
net::Task<Result<>> write_stream(net::Responder& responder, std::vector<std::string> data, Ending ending) {
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

net::Task<void> send_stream(net::Responder& responder, std::vector<std::string> data, Ending ending) {
  // ignored: see write_stream()
  (void)co_await write_stream(responder, std::move(data), ending);
}

net::Task<void> run_then(net::ServerRequest& request, net::Responder& responder, Script script, std::function<void()> done) {
  co_await script(request, responder);
  done();
}

net::Task<void> run_after(net::Io& io, net::ServerRequest& request, net::Responder& responder, std::function<void()> wait, Script script) {
  co_await net::on_pool(io, std::move(wait));
  co_await script(request, responder);
}

net::Task<void> stay_silent(std::function<void()> asked, std::function<void()> left) {
  if (asked) asked();
  const auto ended = co_await net::sleep_for(kForever);
  EXPECT_FALSE(ended);
  if (left) left();
}

}  // namespace

Script reply(int status, std::string body) {
  return [status, body = std::move(body)](net::ServerRequest&, net::Responder& responder) { return send_reply(responder, status, body); };
}

Script reply_json(int status, const json::value& body) {
  return reply(status, json::to_text(body));
}

Script stream(std::vector<std::string> data, Ending ending) {
  return [data = std::move(data), ending](net::ServerRequest&, net::Responder& responder) { return send_stream(responder, data, ending); };
}

Script silence(std::function<void()> asked, std::function<void()> left) {
  return [asked = std::move(asked), left = std::move(left)](net::ServerRequest&, net::Responder&) { return stay_silent(asked, left); };
}

Script in_turn(std::vector<Script> scripts) {
  return [scripts = std::move(scripts), next = std::size_t{0}](net::ServerRequest& request, net::Responder& responder) mutable {
    const std::size_t now = std::min(next++, scripts.size() - 1);
    return scripts[now](request, responder);
  };
}

Script then(Script script, std::function<void()> done) {
  return [script = std::move(script), done = std::move(done)](net::ServerRequest& request, net::Responder& responder) {
    return run_then(request, responder, script, done);
  };
}

Script ScriptedDaemon::after(std::function<void()> wait, Script script) {
  return [this, wait = std::move(wait), script = std::move(script)](net::ServerRequest& request, net::Responder& responder) {
    return run_after(io_, request, responder, wait, script);
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

// NOLINTNEXTLINE(bugprone-exception-escape): a test whose daemon cannot be ended may end here.
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
  const std::lock_guard lock(mutex_);
  asked_.push_back(fmt::format("{} {}{}{}", request.method, request.target, request.body.empty() ? "" : " ", request.body));
  const auto found = scripts_.find(key);
  if (found != scripts_.end()) return found->second(request, responder);
  return reply_json(500, {{"error", {{"code", "internal"}, {"message", "the test did not expect " + key}}}})(request, responder);
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
