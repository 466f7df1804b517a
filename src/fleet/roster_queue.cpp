// The roster's side of the scheduler: requests that wait, and decisions that are carried out.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "fleet/diagnosis.h"
#include "fleet/lifecycle.h"
#include "fleet/roster.h"
#include "os/usage.h"

namespace puna::fleet {
namespace {

using std::chrono::steady_clock;
using wire::WorkerState;

// Places change with each request that ends: they are told again when so much time has passed.
constexpr Milliseconds kPlacesToldAgain{1'000};
// A worker's memory is written down again when it has grown by this part.
constexpr double kWorthNoting = 0.02;
constexpr std::size_t kSubjectsKept = 512;

}  // namespace

class Roster::Waiter {
 public:
  Waiter(Roster& roster, const Ask& ask, const LeaseOptions& options, Milliseconds keep_alive)
      : roster_(roster),
        woken_(roster.parts_.io.context().get_executor()),
        id_(ask.id),
        key_(ask.model),
        request_(options.request_id),
        staging_(options.staging),
        keep_alive_(keep_alive) {
    roster_.waiters_[id_] = this;
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    roster_.waiters_.erase(id_);
    if (!outcome_) roster_.perform(roster_.scheduler_.cancel(id_, steady_clock::now()));
  }

  void finish(Result<Lease> outcome) {
    outcome_ = std::move(outcome);
    woken_.wake();
  }
  net::Task<Result<Lease>> wait() {
    while (!outcome_) {
      co_await woken_.wait();
      if (net::is_cancelled(co_await net::asio::this_coro::cancellation_state)) co_return fail(net::cancelled_error());
    }
    co_return std::move(*outcome_);
  }
  [[nodiscard]] const Key& key() const { return key_; }
  [[nodiscard]] MonotonicTime asked() const { return asked_; }
  [[nodiscard]] Staging staging() const { return staging_; }
  [[nodiscard]] Milliseconds keep_alive() const { return keep_alive_; }
  [[nodiscard]] std::optional<std::size_t> arrived_at() const { return arrived_at_; }

  void tell(const Scheduler::Place& place) {
    if (told_ == place.position) return;
    told_ = place.position;
    if (!arrived_at_) arrived_at_ = place.position;
    wire::QueuedRequest event{.request = request_, .model = key_.first, .position = static_cast<std::int64_t>(place.position)};
    if (place.expected_wait) event.expected_wait_ms = place.expected_wait->count();
    roster_.parts_.events.publish_as("request.queued", event);
  }

 private:
  Roster& roster_;
  net::Wakeup woken_;
  RequestId id_;
  Key key_;
  std::string request_;
  MonotonicTime asked_ = steady_clock::now();
  Staging staging_;
  Milliseconds keep_alive_;
  std::optional<std::size_t> arrived_at_;
  std::size_t told_ = 0;
  std::optional<Result<Lease>> outcome_;
};

SchedulerLimits Roster::limits_of(const FleetOptions& options) {
  return {.models = static_cast<std::size_t>(options.most_models),
          .queue_per_model = static_cast<std::size_t>(options.queue_per_model),
          .queue_per_client = static_cast<std::size_t>(options.queue_per_client),
          .turn = options.turn};
}

net::Task<Result<Lease>> Roster::acquire(std::string name, LeaseOptions options) {
  const auto self = shared_from_this();
  co_await net::asio::this_coro::throw_if_cancelled(false);
  PUNA_CO_TRY(const auto launch, co_await parts_.resolve(std::move(name)));
  PUNA_CO_CHECK(check_model_name(launch.name));
  const Key key{launch.name, options.purpose};
  if (const auto trouble = troubles_.find(key); trouble != troubles_.end() && !trouble->second.launch.same_process(launch))
    troubles_.erase(trouble);  // what failed was something else
  if (!find(key)) {
    PUNA_CO_CHECK(may_start(key));
  }
  const ModelTerms terms = co_await terms_of(key, launch);
  if (net::is_cancelled(co_await net::asio::this_coro::cancellation_state)) co_return fail(net::cancelled_error());
  if (closing_) co_return fail(Code::unavailable, "the daemon is stopping and loads no models any more");
  const FleetOptions current = parts_.options();
  if (!find(key)) refresh_budget();
  scheduler_.configure(limits_of(current));
  const Ask ask = ask_of(key, options);
  Waiter waiter(*this, ask, options, options.keep_alive.value_or(launch.life.keep_alive.value_or(current.keep_alive)));
  perform(scheduler_.ask(ask, terms, steady_clock::now()));
  tell_place(waiter, ask.id);
  co_return co_await waiter.wait();
}

Ask Roster::ask_of(const Key& key, const LeaseOptions& options) {
  Ask out{.id = ++last_request_,
          .model = key,
          .client = options.client,
          .priority = options.priority,
          .deadline = {},
          .staging = options.staging};
  const Milliseconds patience = options.max_wait.value_or(parts_.options().max_wait);
  if (patience != kForever) out.deadline = net::deadline_after(patience);
  return out;
}

net::Task<ModelTerms> Roster::terms_of(const Key& key, const Launch& launch) {
  const auto known = subjects_.find(key);
  // A load looks again: settings may have changed, or its memory may have been measured under another name.
  if (known == subjects_.end() || !known->second.launch->same_process(launch) || !find(key)) {
    auto expectation = co_await net::on_pool(parts_.io, [&] { return book_.expect(launch, key.second, parts_.options()); });
    if (subjects_.size() > kSubjectsKept)
      std::erase_if(subjects_, [&](const auto& one) { return !find(one.first) && scheduler_.waiting(one.first) == 0; });
    Subject& subject = subjects_[key];
    if (!subject.launch || !subject.launch->same_process(launch)) subject.number = ++last_launch_;
    if (const auto lately = measured_.find(expectation.print); lately != measured_.end()) expectation.need = lately->second;
    subject.expectation = std::move(expectation);
    subject.launch = launch;
  }
  Subject& subject = subjects_.at(key);
  subject.launch->life = launch.life;
  co_return ModelTerms{.launch = subject.number, .need = subject.expectation.need, .pinned = launch.life.pinned};
}

void Roster::refresh_budget() {
  const os::MemoryNow memory = parts_.memory();
  // What our workers hold would be there again without them. Pages of mapped files count as available already, except inside a
  // container, where the limit counts them.
  Bytes ours;
  for (const auto& [id, member] : workers_)
    if (const auto pid = member.worker->pid())
      if (const auto used = os::process_memory(*pid)) ours += memory.limited ? used->resident : used->anonymous;
  const double room = static_cast<double>((memory.available + ours).count) * parts_.options().memory_share;
  const MemoryBudget budget{.capacity = {{kSystemMemory, Bytes(static_cast<std::uint64_t>(room))}}, .total = memory.total};
  perform(scheduler_.budget(budget, steady_clock::now()));
}

void Roster::perform(Effects effects) {
  effects_.insert(effects_.end(), std::make_move_iterator(effects.begin()), std::make_move_iterator(effects.end()));
  if (std::exchange(performing_, true)) return;
  while (!effects_.empty()) {
    const Effect effect = std::move(effects_.front());
    effects_.pop_front();
    std::visit([this](const auto& one) { happen(one); }, effect);
  }
  performing_ = false;
  tell_places();
  set_timer();
}

void Roster::happen(const LoadModel& load) {
  const auto subject = subjects_.find(load.model);
  Result<> possible = may_start(load.model);
  if (closing_ || subject == subjects_.end()) possible = fail(Code::unavailable, "the daemon is stopping and loads no models any more");
  if (!possible) return perform(scheduler_.ended(load.model, possible.error(), steady_clock::now()));
  start(load.model, subject->second);
}

void Roster::happen(const StopModel& stop) {
  if (Worker* worker = find(stop.model)) worker->stop(stop.cause, Milliseconds(0));
  if (stop.makes_room)
    parts_.events.publish("worker.evicted",
                          {{"name", stop.model.first}, {"purpose", json::enum_name(stop.model.second)}, {"cause", stop.cause}});
}

std::shared_ptr<Lease::Turn> Roster::give(RequestId request, const Key& key) {
  const auto waiter = waiters_.find(request);
  Worker* worker = find(key);
  if (waiter == waiters_.end() || !worker || !is_loaded(worker->state())) {
    if (waiter != waiters_.end()) waiter->second->finish(fail(Code::unavailable, fmt::format("model {} was unloaded", key.first)));
    perform(scheduler_.release(request, steady_clock::now()));
    return nullptr;
  }
  worker->keep_for(waiter->second->keep_alive());
  auto turn = std::make_shared<Lease::Turn>(request, parts_.io);
  turn->asked = waiter->second->asked();
  turn->staging = waiter->second->staging();
  turn->arrived_at = waiter->second->arrived_at();
  waiter->second->finish(Lease(weak_from_this(), *worker, turn));
  return turn;
}

void Roster::happen(const Stage& stage) {
  queues_changed_.insert(stage.model);
  if (const auto waiter = waiters_.find(stage.request); waiter != waiters_.end()) tell_place(*waiter->second, stage.request);
  if (auto turn = give(stage.request, stage.model)) staged_[stage.request] = std::move(turn);
}

void Roster::happen(const Grant& grant) {
  queues_changed_.insert(grant.model);
  const auto staged = staged_.extract(grant.request);
  const auto turn = staged ? staged.mapped() : give(grant.request, grant.model);
  if (!turn) return;
  turn->waited = grant.waited;
  turn->changed.wake();
}

void Roster::happen(const Refuse& refuse) {
  queues_changed_.insert(refuse.model);
  if (const auto staged = staged_.extract(refuse.request)) {
    staged.mapped()->refused = refuse.error;
    staged.mapped()->lost = find(refuse.model) == nullptr;
    staged.mapped()->changed.wake();
    return;
  }
  if (const auto waiter = waiters_.find(refuse.request); waiter != waiters_.end()) waiter->second->finish(fail(refuse.error));
}

void Roster::release(std::uint64_t id, RequestId request) {
  if (Worker* worker = find(id)) {
    worker->end_request();
    if (!troubles_.empty() && worker->answered()) troubles_.erase({worker->model(), worker->purpose()});
    note_measured(workers_.at(id));
  }
  staged_.erase(request);
  if (scheduler_.waits_for_memory()) refresh_budget();
  perform(scheduler_.release(request, steady_clock::now()));
}

void Roster::begun(RequestId request) {
  perform(scheduler_.begun(request, steady_clock::now()));
}

void Roster::worker_changed(std::uint64_t id) {
  changed_.notify();
  const auto found = workers_.find(id);
  if (found == workers_.end()) return;
  Member& member = found->second;
  const Key key = member.key;
  const auto now = steady_clock::now();
  const WorkerState state = member.worker->state();
  if (is_loaded(state) && !std::exchange(member.told_loaded, true)) {
    note_measured(member);
    // llama.cpp queues what is more than its slots; of other engines nobody knows.
    const Staging staging = member.worker->endpoint().speaks_llama_cpp ? Staging::allowed : Staging::never;
    return perform(scheduler_.loaded(key, member.worker->slots(), now, staging));
  }
  if ((!is_leaving(state) && !is_ended(state)) || std::exchange(member.told_leaving, true)) return;
  if (const auto& failure = member.worker->failure(); failure && !member.told_loaded)
    perform(scheduler_.turn_away(key, to_error(key.first, *failure), now));
  perform(scheduler_.leaving(key, now));
}

void Roster::note_measured(Member& member) {
  const auto pid = member.worker->pid();
  if (!pid || !member.told_loaded) return;
  const auto resident = os::resident_memory(*pid);
  if (!resident) return;
  const MemoryNeed measured = book_.measured(member.expectation, member.worker->memory(), *resident);
  // Buffers are resident once a request has used them: before, only what exceeds the prediction is news.
  const bool settled = member.worker->answered();
  if (!settled && measured.total() <= member.expectation.need.total()) return;
  const auto before = static_cast<double>(member.measured.total().count);
  const bool near = std::abs(static_cast<double>(measured.total().count) - before) <= before * kWorthNoting;
  if (near && member.settled == settled) return;
  member.settled = settled;
  member.measured = measured;
  perform(scheduler_.measured(member.key, measured.pools(), steady_clock::now()));
  const auto& print = member.expectation.print;
  if (const auto subject = subjects_.find(member.key); subject != subjects_.end() && subject->second.expectation.print == print)
    subject->second.expectation.need = measured;
  if (measured_.size() > kSubjectsKept) measured_.clear();
  measured_[print] = unwritten_[print] = measured;
  if (!writer_.running()) writer_ = net::spawn(parts_.io, "measured memory", write_measured(shared_from_this()));
}

net::Task<void> Roster::write_measured(std::shared_ptr<Roster> self) {
  while (!self->unwritten_.empty()) {
    const auto one = self->unwritten_.extract(self->unwritten_.begin());
    const auto written = co_await net::on_pool(self->parts_.io, [&] { return self->book_.remember(one.key(), one.mapped()); });
    if (!written) log::warning("fleet", "measured memory cannot be remembered", {{"error", written.error().text()}});
  }
}

void Roster::complete(const Key& key, wire::RunningModel& view) const {
  view.queued_requests = static_cast<std::int64_t>(scheduler_.waiting(key));
  if (scheduler_.has_staged(key)) view.active_requests = std::max<std::int64_t>(0, view.active_requests - 1);  // at the worker, and waiting
  for (const auto& [id, member] : workers_) {
    if (member.key != key) continue;
    view.pinned = member.worker->launch().life.pinned;
    if (const auto predicted = member.expectation.need.total(); predicted.count > 0)
      view.predicted_bytes = static_cast<std::int64_t>(predicted.count);
    if (const auto measured = member.measured.total(); measured.count > 0) view.measured_bytes = static_cast<std::int64_t>(measured.count);
  }
}

void Roster::tell_place(Waiter& waiter, RequestId id) {
  for (const auto& place : scheduler_.places(waiter.key(), steady_clock::now()))
    if (place.request == id) waiter.tell(place);
}

void Roster::tell_places() {
  const auto now = steady_clock::now();
  for (auto it = queues_changed_.begin(); it != queues_changed_.end();) {
    const auto subject = subjects_.find(*it);
    const bool again = subject != subjects_.end() && now - subject->second.places_told >= kPlacesToldAgain;
    if (scheduler_.waiting(*it) > 0 && !again) {
      ++it;
      continue;
    }
    if (again) subject->second.places_told = now;
    for (const auto& place : scheduler_.places(*it, now))
      if (const auto waiter = waiters_.find(place.request); waiter != waiters_.end()) waiter->second->tell(place);
    it = queues_changed_.erase(it);
  }
}

void Roster::set_timer() {
  if (const auto next = scheduler_.next_event(steady_clock::now()))
    timer_.set(*next);
  else
    timer_.clear();
}

void Roster::turn_everybody_away() {
  const Error stopping(Code::unavailable, "the daemon is stopping and loads no models any more");
  for (const auto& [key, subject] : subjects_) perform(scheduler_.turn_away(key, stopping, steady_clock::now()));
}

}  // namespace puna::fleet
