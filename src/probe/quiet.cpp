#include "probe/quiet.h"

#include <algorithm>

namespace puna::probe {
namespace {

using wire::WorkerState;

bool works(WorkerState state) {
  switch (state) {
    case WorkerState::starting:
    case WorkerState::loading:
    case WorkerState::busy:
    case WorkerState::draining:
    case WorkerState::stopping:
      return true;
    case WorkerState::ready:
    case WorkerState::stopped:
    case WorkerState::failed:
      return false;
  }
  return false;
}

}  // namespace

bool is_quiet(const std::vector<wire::RunningModel>& workers) {
  return std::ranges::none_of(workers, [](const auto& worker) { return works(worker.state) || worker.queued_requests > 0; });
}

Bytes held_by(const std::vector<wire::RunningModel>& workers) {
  std::int64_t out = 0;
  for (const auto& worker : workers)
    if (worker.pid) out += worker.measured_bytes.value_or(worker.predicted_bytes.value_or(0));
  return Bytes(static_cast<std::uint64_t>(out));
}

FleetNews::FleetNews(EventBus& events)
    : events_(events), seen_(events.latest()), subscription_(events.subscribe([this] {
        const std::lock_guard lock(mutex_);
        published_ = true;
        wake_.notify_all();
      })) {}

FleetNews::Seen FleetNews::read() {
  auto out = Seen::nothing;
  for (auto batch = events_.since(seen_); !batch.events.empty(); batch = events_.since(seen_)) {
    if (batch.gap) out = Seen::work;  // who knows
    seen_ = batch.events.back()->sequence;
    for (const auto& event : batch.events) {
      if (event->type == "request.queued") out = Seen::work;
      if (event->type != "worker.state" || out == Seen::work) continue;
      const auto worker = json::decode<wire::RunningModel>(json::value(event->data), json::Unknown::ignore);
      out = worker && works(worker->state) ? Seen::work : Seen::change;
    }
  }
  return out;
}

Result<FleetNews::Seen> FleetNews::next(const std::stop_token& stop) {
  while (true) {
    if (const auto seen = read(); seen != Seen::nothing) return seen;
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return published_; })) return fail(Code::cancelled, "asked to end");
    published_ = false;
  }
}

Result<> FleetNews::wait(const std::stop_token& stop) {
  PUNA_CHECK(next(stop));
  return {};
}

Result<> FleetNews::wait_for_work(const std::stop_token& stop) {
  while (true) {
    PUNA_TRY(const auto seen, next(stop));
    if (seen == Seen::work) return {};
  }
}

Yielding::Yielding(EventBus& events, std::stop_source& stopping)
    : news_(events), watcher_([this, &stopping](const std::stop_token& stop) {
        if (news_.wait_for_work(stop)) stopping.request_stop();
      }) {}

}  // namespace puna::probe
