#include "client/follow_run.h"

#include "client/watch.h"

namespace puna::client {
namespace {

using Sink = std::function<void(const wire::TuneEvent&)>;

bool rests(wire::JobState state) {
  return wire::is_terminal(state) || state == wire::JobState::paused || state == wire::JobState::interrupted;
}

// The lines of metrics.jsonl that were not told yet. Events say only that there are some: so nothing is told twice, and nothing that was
// missed while the stream was broken is left out.
net::Task<Result<>> tell_news(Transport& transport, const std::string& name, std::int64_t& next, const Sink& on_event) {
  while (true) {
    PUNA_CO_TRY(const auto metrics,
                co_await transport.call_as<wire::TuneMetrics>({.target = run_target(name, fmt::format("/metrics?from={}", next))}));
    for (const auto& event : metrics.events) on_event(event);
    if (metrics.next == next) co_return Result<>();
    next = metrics.next;
  }
}

bool is_of(const wire::EventView& event, const std::string& name) {
  const auto* run = event.data.if_contains("run");
  return event.type == "tune.progress" && run && *run == json::value(name);
}

bool is_of_training(const wire::EventView& event) {
  const auto* kind = event.data.if_contains("kind");
  return event.type == "job.updated" && kind && *kind == json::value("tune");
}

}  // namespace

std::string run_target(std::string_view name, std::string_view verb) {
  return fmt::format("/api/v1/tune/runs/{}{}", net::percent_encode(name), verb);
}

net::Task<Result<wire::TuneRun>> follow_run(Transport& transport, std::string name, const Sink& on_event) {
  Watch watch(transport);
  std::int64_t next = 0;
  while (true) {
    PUNA_CO_TRY(const auto event, co_await watch.next());
    if (event && is_of(*event, name)) {
      const auto told = json::decode<wire::TuneEvent>(json::value(event->data), json::Unknown::ignore);
      if (told && told->kind == wire::TuneEventKind::phase)  // how far a phase is stands in no file
        on_event(*told);
      else
        PUNA_CO_CHECK(co_await tell_news(transport, name, next, on_event));
    }
    if (event && !is_of_training(*event)) continue;
    PUNA_CO_TRY(auto run, co_await transport.call_as<wire::TuneRun>({.target = run_target(name)}));
    PUNA_CO_CHECK(co_await tell_news(transport, name, next, on_event));
    if (rests(run.state)) co_return std::move(run);
  }
}

}  // namespace puna::client
