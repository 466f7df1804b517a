#include <charconv>

#include "api/routes/groups.h"
#include "net/sse.h"
#include "wire/system.h"

namespace puna::api {
namespace {

constexpr Milliseconds kPingEvery{15'000};

std::string frame(const Event& event) {
  const wire::EventView view{static_cast<std::int64_t>(event.sequence), event.type, format_time(event.time), event.data};
  return net::sse_frame(event.type, std::to_string(event.sequence), json::to_text(json::encode(view)));
}

// Tells a reader that events are missing: it reads the state anew.
std::string reset_frame(std::uint64_t latest) {
  const wire::EventView view{static_cast<std::int64_t>(latest), "events.reset", format_time(std::chrono::system_clock::now()), {}};
  return net::sse_frame(view.type, std::to_string(latest), json::to_text(json::encode(view)));
}

// Where to begin: Last-Event-ID of a reader that comes back, else ?after=, else now.
Result<std::uint64_t> starting_point(const Call& call, std::uint64_t latest) {
  const auto header = call.request().headers.get("Last-Event-ID");
  if (!header || header->empty()) return call.number("after", latest, std::numeric_limits<std::int64_t>::max());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(header->data(), header->data() + header->size(), number);
  if (error != std::errc{} || end != header->data() + header->size())
    return fail(Code::invalid_argument, "Last-Event-ID: expected the number of an event");
  return number;
}

net::Task<Result<>> stream_events(Call& call) {
  EventBus& bus = call.workbench().events();
  PUNA_CO_TRY(auto after, starting_point(call, bus.latest()));
  net::Notifier published(call.workbench().io());
  const auto subscription = bus.subscribe([&published] { published.notify(); }, EventBus::Listener::client);
  PUNA_CO_CHECK(co_await call.responder().start_sse());
  for (;;) {
    const auto seen = published.epoch();
    const auto batch = bus.since(after);
    std::string frames;
    if (batch.gap) frames += reset_frame(bus.latest());
    for (const auto& event : batch.events) frames += frame(*event);
    if (!batch.events.empty())
      after = batch.events.back()->sequence;
    else if (batch.gap)
      after = bus.latest();
    if (!frames.empty()) {
      PUNA_CO_CHECK(co_await call.responder().write(frames));
      continue;
    }
    if (call.host().phase() == Phase::draining) co_return co_await call.responder().finish();
    const auto waited = co_await published.wait(seen, kPingEvery);
    if (waited) continue;
    if (waited.error().code != Code::deadline_exceeded) co_return fail(waited.error());
    PUNA_CO_CHECK(co_await call.responder().write(net::kSsePing));
  }
}

}  // namespace

std::span<const Route> event_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/events",
       .operation = "streamEvents",
       .summary = "every change of state, as server-sent events; continues after Last-Event-ID",
       .handle = stream_events,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::EventView>,
       .response_type = "text/event-stream",
       .query = {{"after", "begin after this event; default: now"}}},
  };
  return routes;
}

}  // namespace puna::api
