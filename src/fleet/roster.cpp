#include "fleet/roster.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "fleet/diagnosis.h"
#include "fleet/lifecycle.h"

namespace puna::fleet {
namespace {

using std::chrono::steady_clock;
using wire::WorkerState;

constexpr std::size_t kEndedKept = 64;
constexpr std::size_t kTroublesKept = 64;
constexpr Milliseconds kTroubleShown{900'000};
// Between a broken connection and the news why lie milliseconds.
constexpr Milliseconds kNewsDelay{1'000};
// The kernel takes back a killed process at once, unless a device driver holds it.
constexpr Milliseconds kAfterKill{5'000};

void prepare_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code failed;
  if (fs::create_directories(folder, failed)) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed) log::error("fleet", "a folder cannot be made", {{"folder", folder.string()}, {"error", failed.message()}});
}

void remove_dead_sockets(const std::filesystem::path& folder) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.path().extension() != ".sock") continue;
    std::error_code still_there;
    if (!std::filesystem::remove(entry.path(), still_there))
      log::warning("fleet", "an old socket cannot be removed", {{"path", entry.path().string()}, {"error", still_there.message()}});
  }
}

// From the decision that a worker stops until it cannot but be gone.
Milliseconds time_to_end(const FleetOptions& options) {
  return options.drain + options.stop_grace + kAfterKill;
}

Error given_up(const std::string& name, int failures, const wire::WorkerFailure& failure) {
  Error error = to_error(name, failure);
  error.code = Code::unavailable;
  error.message += fmt::format("; it failed {} times in a row and was given up: `puna profile start {}` tries again", failures, name);
  return error;
}

Milliseconds backoff(int failures, const FleetOptions& options) {
  if (failures < 2) return Milliseconds(0);
  const int doublings = std::min(failures - 2, 20);
  return std::min(options.backoff_cap, Milliseconds(options.backoff_base * (1LL << doublings)));
}

}  // namespace

Roster::Roster(FleetParts parts)
    : parts_(std::move(parts)),
      changed_(parts_.io),
      book_(parts_.database),
      scheduler_(limits_of(parts_.options())),
      timer_(parts_.io.context().get_executor(), [this] { perform(scheduler_.advance(steady_clock::now())); }) {
  prepare_folder(parts_.places.sockets);
  prepare_folder(parts_.places.logs);
  remove_dead_sockets(parts_.places.sockets);
}

void Roster::close() {
  closing_ = true;
  troubles_.clear();  // and restarts that were planned
  turn_everybody_away();
  for (auto& [id, member] : workers_) {
    member.worker->kill();
    member.supervision.cancel();
  }
}

Worker* Roster::find(std::uint64_t worker) const {
  const auto found = workers_.find(worker);
  return found == workers_.end() ? nullptr : found->second.worker;
}

Worker* Roster::find(const Key& key) const {
  for (const auto& [id, member] : workers_)
    if (member.worker->model() == key.first && member.worker->purpose() == key.second) return member.worker;
  return nullptr;
}

Result<> Roster::may_start(const Key& key) const {
  const auto found = troubles_.find(key);
  if (found == troubles_.end()) return {};
  const auto left = std::chrono::ceil<Milliseconds>(found->second.retry_at - steady_clock::now());
  if (left <= Milliseconds(0) && !found->second.gave_up) return {};
  if (found->second.gave_up) return fail(given_up(key.first, found->second.failures, found->second.failure));
  Error error = to_error(key.first, found->second.failure);
  error.message += fmt::format("; it failed {} times in a row and is tried again in {}", found->second.failures, format_duration(left));
  error.retry_after = left;
  return fail(std::move(error));
}

void Roster::start(const Key& key, const Subject& subject) {
  const std::uint64_t id = ++last_worker_;
  log::info("fleet", "loading a model", {{"model", key.first}, {"worker", id}, {"bytes", subject.expectation.need.total().count}});
  auto worker = std::make_unique<Worker>(parts_.io, parts_.events,
                                         WorkerSpec{.id = id,
                                                    .launch = *subject.launch,
                                                    .purpose = key.second,
                                                    .options = parts_.options(),
                                                    .places = parts_.places,
                                                    .http = &parts_.http,
                                                    .complete = [this, key](wire::RunningModel& view) { complete(key, view); }},
                                         [this, id] { worker_changed(id); });
  Member& member = workers_[id];
  member.worker = worker.get();
  member.key = key;
  member.expectation = subject.expectation;
  member.supervision = net::spawn(parts_.io, "worker", supervise(shared_from_this(), std::move(worker)));
}

net::Task<void> Roster::supervise(std::shared_ptr<Roster> self, std::unique_ptr<Worker> worker) {
  co_await worker->run();
  self->bury(*worker);
}

void Roster::bury(const Worker& worker) {
  const auto member = workers_.find(worker.id());
  const Key key = member->second.key;
  member->second.supervision.detach();
  workers_.erase(member);
  ended_.push_back({worker.id(), worker.model(), worker.failure()});
  if (ended_.size() > kEndedKept) ended_.pop_front();
  std::optional<Error> error;
  if (const auto& failure = worker.failure()) {
    remember(worker, *failure);
    error = to_error(worker.model(), *failure);
  }
  changed_.notify();
  refresh_budget();
  perform(scheduler_.ended(key, error, steady_clock::now()));
  if (error) consider_restart(key);
}

void Roster::remember(const Worker& worker, const wire::WorkerFailure& failure) {
  const Key key{worker.model(), worker.purpose()};
  Trouble& trouble = troubles_[key];
  if (worker.answered()) trouble.failures = 0;
  ++trouble.failures;
  trouble.last = steady_clock::now();
  trouble.retry_at = trouble.last + backoff(trouble.failures, parts_.options());
  trouble.failure = failure;
  trouble.view = worker.view();
  trouble.view.failures = trouble.failures;
  trouble.launch = worker.launch();
  if (troubles_.size() <= kTroublesKept) return;
  troubles_.erase(std::ranges::min_element(troubles_, {}, [](const auto& entry) { return entry.second.last; }));
}

void Roster::consider_restart(const Key& key) {
  const auto found = troubles_.find(key);
  if (found == troubles_.end() || closing_ || find(key)) return;
  Trouble& trouble = found->second;
  const LifeRules& life = trouble.launch.life;
  if (life.restart == wire::RestartPolicy::never) return;
  trouble.restart.detach();  // the one before has come to its end, which may be this very moment
  if (trouble.failures > life.restart_attempts) {
    trouble.gave_up = trouble.view.gave_up = true;
    log::error("fleet", "given up", {{"model", key.first}, {"failures", trouble.failures}, {"failure", trouble.failure.message}});
    parts_.events.publish_as("worker.state", trouble.view);
    return;
  }
  const auto delay = std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(trouble.retry_at - steady_clock::now()));
  log::info("fleet", "it will be restarted", {{"model", key.first}, {"failures", trouble.failures}, {"in_ms", delay.count()}});
  trouble.restart = net::spawn(parts_.io, "restart", restart(shared_from_this(), key, delay));
}

net::Task<void> Roster::restart(std::shared_ptr<Roster> self, Key key, Milliseconds delay) {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  if (!co_await net::sleep_for(delay) || self->closing_) co_return;
  const auto lease = co_await self->acquire(key.first, {.purpose = key.second, .request_id = "restart"});
  if (!lease) log::warning("fleet", "a restart failed", {{"model", key.first}, {"error", lease.error().text()}});
}

void Roster::forgive(const std::string& model) {
  std::erase_if(troubles_, [&](const auto& entry) { return entry.first.first == model && entry.second.gave_up; });
}

net::Task<Result<>> Roster::wait_until_gone(std::vector<std::uint64_t> workers, Milliseconds limit) {
  const auto self = shared_from_this();
  const auto due = net::deadline_after(limit);
  while (true) {
    const auto seen = changed_.epoch();
    const auto left = std::ranges::find_if(workers, [this](std::uint64_t id) { return find(id) != nullptr; });
    if (left == workers.end()) co_return Result<>();
    const auto remaining = due == steady_clock::time_point::max() ? kForever : std::chrono::ceil<Milliseconds>(due - steady_clock::now());
    const auto waited = co_await changed_.wait(seen, remaining);
    if (waited || waited.error().code != Code::deadline_exceeded) {
      PUNA_CO_CHECK(waited);
      continue;
    }
    const auto view = find(*left)->view();
    co_return fail(Code::deadline_exceeded,
                   fmt::format("the worker of model {} (process {}) does not end, even when killed", view.name, view.pid.value_or(0)));
  }
}

std::optional<Error> Roster::end_of(std::uint64_t id) const {
  if (const Worker* worker = find(id)) {
    if (const auto& failure = worker->failure()) return to_error(worker->model(), *failure);
    if (is_leaving(worker->state())) return Error(Code::unavailable, fmt::format("model {} is being unloaded", worker->model()));
    return std::nullopt;
  }
  const auto found = std::ranges::find(ended_, id, &Ended::worker);
  if (found == ended_.end()) return Error(Code::unavailable, "the model was unloaded");
  if (const auto& failure = found->failure) return to_error(found->model, *failure);
  return Error(Code::unavailable, fmt::format("model {} was unloaded", found->model));
}

net::Task<Result<>> Roster::probe(std::uint64_t id) {
  const auto self = shared_from_this();
  if (auto ended = end_of(id)) co_return fail(std::move(*ended));
  const Milliseconds limit = parts_.options().hang_probe;
  // Goes through the inference queue, while /health is answered beside it. During a step, however long, a second thread of the queue
  // answers: a slow machine is not a hung one.
  const Endpoint endpoint = find(id)->endpoint();
  auto request = endpoint.request("GET", endpoint.speaks_llama_cpp ? "/slots" : "/v1/models");
  request.deadlines = {.connect = limit, .first_byte = limit, .idle = limit, .total = limit};
  const auto answer = co_await parts_.http.fetch(std::move(request));
  if (answer) co_return Result<>();
  if (answer.error().code != Code::deadline_exceeded) co_return fail(co_await explain(id, answer.error()));
  if (Worker* worker = find(id); worker && is_loaded(worker->state()))
    worker->give_up(wire::WorkerFault::hung, fmt::format("the worker gave no sign of life for {}", format_duration(limit)));
  co_return fail(end_of(id).value_or(answer.error()));
}

net::Task<Error> Roster::explain(std::uint64_t id, Error error) {
  const auto self = shared_from_this();
  // What a client sees of a server that dies; anything else it found out by itself.
  if (error.code != Code::unavailable && error.code != Code::upstream_failed) co_return error;
  const auto due = net::deadline_after(kNewsDelay);
  while (true) {
    const auto seen = changed_.epoch();
    if (auto ended = end_of(id)) co_return std::move(*ended);
    const auto waited = co_await changed_.wait(seen, std::chrono::ceil<Milliseconds>(due - steady_clock::now()));
    if (!waited) co_return error;
  }
}

net::Task<Result<>> Roster::unload(std::string model) {
  const auto self = shared_from_this();
  const FleetOptions options = parts_.options();
  std::vector<std::uint64_t> leaving;
  for (const auto& [id, member] : workers_)
    if (member.worker->model() == model) leaving.push_back(id);
  const auto forgotten = std::erase_if(troubles_, [&](const auto& entry) { return entry.first.first == model; });
  std::size_t waited = 0;
  for (const Purpose purpose : {Purpose::generate, Purpose::embed, Purpose::rank}) {
    waited += scheduler_.waiting({model, purpose});
    const Error unloaded(Code::unavailable, fmt::format("model {} is being unloaded", model));
    perform(scheduler_.turn_away({model, purpose}, unloaded, steady_clock::now()));
  }
  if (leaving.empty() && forgotten == 0 && waited == 0) co_return fail(Code::not_found, fmt::format("model {} is not loaded", model));
  for (const std::uint64_t id : leaving)
    if (Worker* worker = find(id)) worker->stop("unload requested", options.drain);
  co_return co_await wait_until_gone(std::move(leaving), time_to_end(options));
}

net::Task<Result<>> Roster::shutdown(Milliseconds drain) {
  const auto self = shared_from_this();
  closing_ = true;
  for (auto& [key, trouble] : troubles_) trouble.restart.cancel();
  turn_everybody_away();
  std::vector<std::uint64_t> leaving;
  for (const auto& [id, member] : workers_) leaving.push_back(id);
  for (const std::uint64_t id : leaving)
    if (Worker* worker = find(id)) worker->stop("the daemon stops", drain);
  FleetOptions options = parts_.options();
  options.drain = drain;
  const auto gone = co_await wait_until_gone(std::move(leaving), time_to_end(options));
  co_await writer_.join();
  co_return gone;
}

std::vector<WorkerPlace> Roster::places() const {
  std::vector<WorkerPlace> out;
  for (const auto& [id, member] : workers_)
    if (auto view = member.worker->view(); view.pid) out.push_back({std::move(view), member.worker->socket()});
  return out;
}

std::vector<wire::RunningModel> Roster::list() const {
  std::vector<wire::RunningModel> out;
  for (const auto& [id, member] : workers_) out.push_back(member.worker->view());
  const auto now = steady_clock::now();
  for (const auto& [key, trouble] : troubles_)
    if (!find(key) && (trouble.gave_up || now - trouble.last < kTroubleShown)) out.push_back(trouble.view);
  std::ranges::sort(out, {}, [](const auto& model) { return std::pair(model.name, model.pid); });
  return out;
}

}  // namespace puna::fleet
