#include <boost/asio/posix/stream_descriptor.hpp>

#include "api/routes/groups.h"
#include "fleet/log_file.h"
#include "net/sse.h"
#include "os/file_tail.h"
#include "wire/system.h"

namespace puna::api {
namespace {

constexpr std::uint64_t kMostLines = 10'000;
constexpr std::string_view kDaemon = "daemon";
constexpr Milliseconds kPingEvery{15'000};

Result<std::filesystem::path> log_file(Call& call) {
  const auto& places = call.workbench().places();
  const auto source = call.request().query.get("source").value_or(kDaemon);
  if (source == kDaemon) return places.log_file();
  if (const auto profile = call.workbench().profiles().find(source)) return fleet::worker_log_file(places.state / "logs", profile->name);
  // The library completes the name (its tag), and refuses one that it does not know.
  PUNA_TRY(const auto model, call.workbench().library().find(source));
  return fleet::worker_log_file(places.state / "logs", model.name);
}

Result<os::FileTail> open_tail(Call& call) {
  PUNA_TRY(const auto lines, call.number("lines", 100, kMostLines));
  PUNA_TRY(const auto file, log_file(call));
  std::error_code exists_already;
  std::filesystem::create_directories(file.parent_path(), exists_already);
  return os::FileTail::open(file, lines);
}

// Notifies when the tail may have more.
class TailWatch {
 public:
  TailWatch(net::Io& io, const os::FileTail& tail, net::Notifier& changed)
      : descriptor_(io.context(), ::dup(tail.descriptor())), changed_(changed) {}  // asio closes what it is given: a copy

  void arm() {
    if (std::exchange(armed_, true)) return;
    descriptor_.async_wait(net::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
      if (error) return;  // this object is gone
      armed_ = false;
      changed_.notify();
    });
  }

 private:
  net::asio::posix::stream_descriptor descriptor_;
  net::Notifier& changed_;
  bool armed_ = false;
};

net::Task<Result<>> follow(Call& call, os::FileTail tail) {
  net::Notifier changed(call.workbench().io());
  TailWatch watch(call.workbench().io(), tail, changed);
  const auto draining = call.workbench().events().subscribe([&changed] { changed.notify(); }, EventBus::Listener::client);
  PUNA_CO_CHECK(co_await call.responder().start_sse());
  while (call.host().phase() != Phase::draining) {
    const auto seen = changed.epoch();
    PUNA_CO_TRY(const auto lines, co_await call.blocking([&] { return tail.read(); }));
    watch.arm();
    std::string frames;
    for (const auto& line : lines) frames += net::sse_frame("line", "", line);
    if (!frames.empty()) PUNA_CO_CHECK(co_await call.responder().write(frames));
    const auto woken = co_await changed.wait(seen, kPingEvery);
    if (woken) continue;
    if (woken.error().code != Code::deadline_exceeded) co_return fail(woken.error());
    PUNA_CO_CHECK(co_await call.responder().write(net::kSsePing));
  }
  co_return co_await call.responder().finish();
}

net::Task<Result<>> show_logs(Call& call) {
  PUNA_CO_TRY(auto tail, co_await call.blocking([&] { return open_tail(call); }));
  if (call.request().query.get("follow") == "true") co_return co_await follow(call, std::move(tail));
  PUNA_CO_TRY(auto lines, co_await call.blocking([&] { return tail.read(); }));
  co_return co_await call.reply(wire::LogLines{std::move(lines)});
}

}  // namespace

std::span<const Route> log_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/logs",
       .operation = "showLogs",
       .summary = "the last lines of a log; with follow=true also the next ones, as server-sent events \"line\"",
       .handle = show_logs,
       .scope = wire::Scope::admin,
       .response_schema = schema_of<wire::LogLines>,
       .query = {{"source", "\"daemon\" (default) or a model's name"}, {"lines", "how many, 100 by default"}, {"follow", "true: go on"}}},
  };
  return routes;
}

}  // namespace puna::api
