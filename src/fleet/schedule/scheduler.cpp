#include "fleet/schedule/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <tuple>

namespace puna::fleet {
namespace {

// Until a request has ended nobody knows how long one takes.
constexpr Milliseconds kUnmeasuredService{5'000};
constexpr Milliseconds kShortestRetry{1'000};
constexpr Milliseconds kLongestRetry{600'000};
constexpr std::size_t kEntriesKept = 512;

void smooth(std::optional<Milliseconds>& average, MonotonicTime::duration value) {
  constexpr double kNewest = 0.2;
  const auto latest = std::chrono::duration_cast<Milliseconds>(value);
  average = average ? Milliseconds(static_cast<std::int64_t>(static_cast<double>(average->count()) * (1 - kNewest) +
                                                             static_cast<double>(latest.count()) * kNewest))
                    : latest;
}

void subtract(MemoryPools& from, const MemoryPools& pools) {
  for (const auto& [pool, bytes] : pools) from[pool] = from[pool] - bytes;
}

Milliseconds retry_after(std::optional<Milliseconds> expected) {
  return std::clamp(expected.value_or(kUnmeasuredService), kShortestRetry, kLongestRetry);
}

}  // namespace

// Memory while loads are planned: what is taken now, what will come back, and what of that is spoken for.
class Scheduler::Room {
 public:
  Room(const MemoryBudget& budget, std::size_t most_models) : budget_(&budget), most_models_(most_models) {}

  void hold(const MemoryPools& pools) {
    add(now_, pools);
    add(later_, pools);
    ++models_now_;
    ++models_later_;
  }
  void expect_back(const MemoryPools& pools) {
    subtract(later_, pools);
    --models_later_;
  }
  void promise(const MemoryPools& pools) {
    add(later_, pools);
    ++models_later_;
  }
  // At once, and without breaking a promise.
  [[nodiscard]] bool fits_now(const MemoryPools& need) const {
    return fits(need, now_, budget_->capacity) && counts(models_now_) && fits_later(need);
  }
  [[nodiscard]] bool fits_later(const MemoryPools& need) const { return fits(need, later_, budget_->capacity) && counts(models_later_); }

 private:
  [[nodiscard]] bool counts(std::size_t models) const { return most_models_ == 0 || models < most_models_; }

  const MemoryBudget* budget_;
  std::size_t most_models_;
  MemoryPools now_, later_;
  std::size_t models_now_ = 0, models_later_ = 0;
};

Effects Scheduler::ask(const Ask& ask, const ModelTerms& terms, MonotonicTime now) {
  Entry& entry = entries_[ask.model];
  entry.terms = terms;
  entry.queue.add(ask.id, ask.client, ask.priority, now, ask.staging);
  waiting_[ask.id] = {ask.model, ask.client.id, now, ask.deadline};
  Effects out = plan(now);
  if (!waiting_.contains(ask.id)) return out;
  std::optional<Error> error;
  if (entry.queue.waiting() > limits_.queue_per_model)
    error = full(ask, fmt::format("model {}", ask.model.first), limits_.queue_per_model, now);
  else if (waiting_of(ask.client.id) > limits_.queue_per_client)
    error = full(ask, "this client", limits_.queue_per_client, now);
  if (!error) return out;
  entry.queue.remove(ask.id, now);
  waiting_.erase(ask.id);
  out.emplace_back(Refuse{ask.id, ask.model, std::move(*error)});
  return out;
}

Error Scheduler::full(const Ask& ask, std::string_view whose, std::size_t limit, MonotonicTime now) const {
  const Entry& entry = entries_.at(ask.model);
  const Milliseconds wait = retry_after(expected_wait(entry, entry.queue.waiting(), now));
  Error error(Code::overloaded,
              fmt::format("{} has {} requests waiting, which is the most that may: try again in {}", whose, limit, format_duration(wait)));
  error.retry_after = wait;
  return error;
}

std::size_t Scheduler::waiting_of(const std::string& client) const {
  return static_cast<std::size_t>(std::ranges::count_if(waiting_, [&](const auto& one) { return one.second.client == client; }));
}

Effects Scheduler::cancel(RequestId request, MonotonicTime now) {
  if (const auto found = waiting_.find(request); found != waiting_.end()) {
    entries_.at(found->second.model).queue.remove(request, now);
    waiting_.erase(found);
  } else if (const auto running = running_.find(request); running != running_.end()) {
    Entry& entry = entries_.at(running->second);
    if (const auto held = entry.queue.give_back(request, now)) smooth(entry.service, *held);
    entry.last_used = now;
    running_.erase(running);
  } else {
    return {};  // its worker is gone
  }
  return plan(now);
}

Effects Scheduler::begun(RequestId request, MonotonicTime now) {
  Effects out;
  const auto waiting = waiting_.find(request);
  const auto running = running_.find(request);
  if (waiting == waiting_.end() && running == running_.end()) return out;  // its worker is gone
  const ModelKey model = waiting == waiting_.end() ? running->second : waiting->second.model;
  Entry& entry = entries_.at(model);
  if (entry.queue.begun(request, service_of(entry), now)) grant_one(request, model, now, out);
  return plan(now, std::move(out));
}

Effects Scheduler::loaded(const ModelKey& model, std::int64_t slots, MonotonicTime now, Staging staging) {
  Entry& entry = entries_[model];
  if (entry.phase != Phase::loading) return {};
  smooth(entry.load_time, now - entry.since);
  entry.phase = Phase::loaded;
  entry.slots = std::max<std::int64_t>(slots, 1);
  entry.staging = staging;
  entry.since = entry.last_used = now;
  return plan(now);
}

Effects Scheduler::leaving(const ModelKey& model, MonotonicTime now) {
  const auto found = entries_.find(model);
  if (found == entries_.end() || !found->second.in_memory()) return {};
  found->second.phase = Phase::leaving;
  found->second.since = now;
  return plan(now);
}

Effects Scheduler::ended(const ModelKey& model, const std::optional<Error>& error, MonotonicTime now) {
  const auto found = entries_.find(model);
  if (found == entries_.end() || !found->second.in_memory()) return {};
  Entry& entry = found->second;
  Effects out;
  if (entry.phase == Phase::loading && error) refuse_waiting(model, *error, now, out);
  if (const auto staged = entry.queue.staged()) {
    out.emplace_back(Refuse{*staged, model, error.value_or(Error(Code::unavailable, fmt::format("model {} was unloaded", model.first)))});
    entry.queue.remove(*staged, now);
    waiting_.erase(*staged);
  }
  entry.queue.forget_running(now);
  std::erase_if(running_, [&](const auto& one) { return one.second == model; });
  entry.phase = Phase::absent;
  entry.held.clear();
  entry.since = now;
  return plan(now, std::move(out));
}

Effects Scheduler::turn_away(const ModelKey& model, const Error& error, MonotonicTime now) {
  Effects out;
  refuse_waiting(model, error, now, out);
  return plan(now, std::move(out));
}

void Scheduler::refuse_waiting(const ModelKey& model, const Error& error, MonotonicTime now, Effects& out) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->second.model != model) {
      ++it;
      continue;
    }
    out.emplace_back(Refuse{it->first, model, error});
    entries_.at(model).queue.remove(it->first, now);
    it = waiting_.erase(it);
  }
}

Effects Scheduler::measured(const ModelKey& model, const MemoryPools& pools, MonotonicTime now) {
  const auto found = entries_.find(model);
  if (found == entries_.end() || !found->second.in_memory()) return {};
  found->second.held = pools;
  return plan(now);
}

Effects Scheduler::budget(const MemoryBudget& budget, MonotonicTime now) {
  budget_ = budget;
  return plan(now);
}

Effects Scheduler::advance(MonotonicTime now) {
  return plan(now);
}

Effects Scheduler::plan(MonotonicTime now, Effects out) {
  expire(now, out);
  refuse_impossible(now, out);
  plan_loads(now, out);
  grant(now, out);
  end_outdated_and_yielding(now, out);
  forget_unused();
  return out;
}

void Scheduler::expire(MonotonicTime now, Effects& out) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto& [id, waiting] = *it;
    if (!waiting.deadline || *waiting.deadline > now) {
      ++it;
      continue;
    }
    Entry& entry = entries_.at(waiting.model);
    const auto wait = retry_after(expected_wait(entry, entry.queue.waiting(), now));
    const auto waited = std::chrono::duration_cast<Milliseconds>(now - waiting.since);
    Error error(Code::unavailable, fmt::format("model {} {}; the request waited {}: try again in {}", waiting.model.first, obstacle(entry),
                                               format_duration(waited), format_duration(wait)));
    error.retry_after = wait;
    out.emplace_back(Refuse{id, waiting.model, std::move(error)});
    entry.queue.remove(id, now);
    it = waiting_.erase(it);
  }
}

std::string Scheduler::obstacle(const Entry& entry) const {
  switch (entry.phase) {
    case Phase::absent:
      return arithmetic(entry.terms.need, budget_, holdings());
    case Phase::loading:
      return "is still being loaded";
    case Phase::loaded:
      return fmt::format("has all of its {} slots taken and {} requests waiting", entry.slots, entry.queue.waiting());
    case Phase::leaving:
      return "is being unloaded";
  }
  return "";
}

void Scheduler::refuse_impossible(MonotonicTime now, Effects& out) {
  for (auto& [key, entry] : entries_) {
    if (entry.phase != Phase::absent || entry.queue.waiting() == 0) continue;
    MemoryPools kept;
    std::vector<HeldMemory> pinned;
    for (const auto& [other, one] : entries_)
      if (one.in_memory() && one.terms.pinned) {
        add(kept, one.held);
        pinned.push_back({other.first, one.held, true, one.queue.running() > 0});
      }
    if (limits_.models > 0 && pinned.size() >= limits_.models) {
      refuse_waiting(key,
                     Error(Code::out_of_memory, fmt::format("model {} has no place: models.max allows {} in memory, and as many are pinned",
                                                            key.first, limits_.models)),
                     now, out);
    } else if (!fits(entry.terms.need.pools(), kept, budget_.capacity)) {
      refuse_waiting(key, does_not_fit(key.first, entry.terms.need, budget_, pinned), now, out);
    }
  }
}

std::vector<Scheduler::Entries::iterator> Scheduler::in_order_of_urgency(MonotonicTime now) {
  std::vector<std::pair<FairQueue::Urgency, Entries::iterator>> wanted;
  for (auto it = entries_.begin(); it != entries_.end(); ++it)
    if (it->second.phase == Phase::absent)
      if (const auto urgency = it->second.queue.urgency(now)) wanted.emplace_back(*urgency, it);
  std::ranges::sort(wanted, {}, [](const auto& one) { return std::tuple(-static_cast<int>(one.first.priority), one.first.since); });
  std::vector<Entries::iterator> out;
  for (const auto& [urgency, it] : wanted) out.push_back(it);
  return out;
}

void Scheduler::plan_loads(MonotonicTime now, Effects& out) {
  Room room(budget_, limits_.models);
  for (auto& [key, entry] : entries_) {
    entry.yielding = false;
    if (!entry.in_memory()) continue;
    room.hold(entry.held);
    if (entry.phase == Phase::leaving) room.expect_back(entry.held);
  }
  for (const auto it : in_order_of_urgency(now)) {
    auto& [key, entry] = *it;
    const MemoryPools need = entry.terms.need.pools();
    if (room.fits_now(need)) {
      entry.phase = Phase::loading;
      entry.launch = entry.terms.launch;
      entry.held = need;
      entry.since = now;
      room.hold(need);
      out.emplace_back(LoadModel{key, entry.launch});
    } else if (!stop_idle_for(it, room, now, out)) {
      ask_busy_to_yield(it, room, now);
    }
  }
}

std::vector<Scheduler::Entries::iterator> Scheduler::evictable(bool busy) {
  std::vector<Entries::iterator> out;
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    const Entry& entry = it->second;
    const bool wanted = entry.queue.running() > 0 || entry.queue.waiting() > 0;
    if (entry.phase == Phase::loaded && !entry.terms.pinned && !entry.yielding && wanted == busy) out.push_back(it);
  }
  std::ranges::sort(out, {}, [&](const auto& it) { return busy ? it->second.since : it->second.last_used; });
  return out;
}

// Of `candidates` the first that together make `need` fit, less those that the later ones make needless; empty when all do not suffice.
std::vector<Scheduler::Entries::iterator> Scheduler::enough(const MemoryPools& need, Room room, std::vector<Entries::iterator> candidates) {
  std::vector<Entries::iterator> chosen;
  for (const auto it : candidates) {
    if (room.fits_later(need)) break;
    room.expect_back(it->second.held);
    chosen.push_back(it);
  }
  if (!room.fits_later(need)) return {};
  std::vector<Entries::iterator> out;
  for (const auto it : std::views::reverse(chosen)) {
    room.promise(it->second.held);  // as if it stayed
    if (room.fits_later(need)) continue;
    room.expect_back(it->second.held);
    out.push_back(it);
  }
  return out;
}

bool Scheduler::stop_idle_for(Entries::iterator wanted, Room& room, MonotonicTime now, Effects& out) {
  const MemoryPools need = wanted->second.terms.need.pools();
  auto idle = evictable(false);
  // What runs in the background does not push a model out between two questions of a person.
  if (wanted->second.queue.urgency(now)->priority == Priority::low)
    std::erase_if(idle, [&](const auto& it) { return it->second.last_used + limits_.turn > now; });
  const auto victims = enough(need, room, idle);
  if (victims.empty() && !room.fits_later(need)) return false;
  for (const auto victim : victims) {
    room.expect_back(victim->second.held);
    stop(victim, {.cause = fmt::format("model {} needs its memory", wanted->first.first), .makes_room = true}, now, out);
  }
  room.promise(need);
  return true;
}

void Scheduler::ask_busy_to_yield(Entries::iterator wanted, Room& room, MonotonicTime now) {
  const auto urgency = wanted->second.queue.urgency(now);
  if (urgency->priority == Priority::low || urgency->since + limits_.turn > now) return;
  const MemoryPools need = wanted->second.terms.need.pools();
  auto candidates = evictable(false);
  for (const auto it : evictable(true))
    if (it->second.since + limits_.turn <= now) candidates.push_back(it);
  const auto victims = enough(need, room, candidates);
  if (victims.empty()) return;
  for (const auto victim : victims) {
    room.expect_back(victim->second.held);
    const auto& queue = victim->second.queue;
    victim->second.yielding = queue.running() + queue.waiting() > 0;  // idle ones go when the busy ones have ended
  }
  room.promise(need);
}

void Scheduler::grant(MonotonicTime now, Effects& out) {
  for (auto& [key, entry] : entries_) {
    if (entry.phase != Phase::loaded) continue;
    // At its worker already, whether that takes new ones or not.
    if (const auto id = entry.queue.take_staged(entry.slots, service_of(entry), now)) grant_one(*id, key, now, out);
    if (entry.yielding || entry.launch != entry.terms.launch) continue;
    while (const auto id = entry.queue.take(entry.slots, service_of(entry), now)) grant_one(*id, key, now, out);
    if (entry.staging != Staging::allowed) continue;
    if (const auto id = entry.queue.stage(entry.slots, now)) out.emplace_back(Stage{*id, key});
  }
}

void Scheduler::grant_one(RequestId request, const ModelKey& model, MonotonicTime now, Effects& out) {
  const auto waiting = waiting_.find(request);
  out.emplace_back(Grant{request, model, std::chrono::ceil<Milliseconds>(now - waiting->second.since)});
  waiting_.erase(waiting);
  running_[request] = model;
}

void Scheduler::end_outdated_and_yielding(MonotonicTime now, Effects& out) {
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    const Entry& entry = it->second;
    if (!entry.idle()) continue;
    if (entry.launch != entry.terms.launch)
      stop(it, {.cause = "its name stands for something else now"}, now, out);
    else if (entry.yielding)
      stop(it, {.cause = "another model waited for its memory", .makes_room = true}, now, out);
  }
}

void Scheduler::stop(Entries::iterator it, StopModel why, MonotonicTime now, Effects& out) {
  it->second.phase = Phase::leaving;
  it->second.since = now;
  why.model = it->first;
  out.emplace_back(std::move(why));
}

void Scheduler::forget_unused() {
  if (entries_.size() <= kEntriesKept) return;
  std::erase_if(entries_, [](const auto& one) { return !one.second.in_memory() && one.second.queue.waiting() == 0; });
}

std::optional<MonotonicTime> Scheduler::next_event(MonotonicTime now) const {
  std::optional<MonotonicTime> out;
  const auto consider = [&](std::optional<MonotonicTime> time) {
    if (time && (!out || *time < *out)) out = time;
  };
  for (const auto& [id, waiting] : waiting_) consider(waiting.deadline);
  const auto consider_later = [&](MonotonicTime time) {
    if (time > now) consider(time);
  };
  for (const auto& [key, entry] : entries_) {
    if (entry.phase == Phase::loaded) consider(entry.queue.next_change(now));
    if (!waits_for_memory() || entry.phase == Phase::leaving) continue;
    if (const auto urgency = entry.queue.urgency(now); urgency && entry.phase == Phase::absent) {
      consider_later(urgency->since + limits_.turn);
      consider_later(urgency->since + FairQueue::kAging * ((now - urgency->since) / FairQueue::kAging + 1));
    }
    if (entry.phase != Phase::loaded) continue;
    consider_later(entry.since + limits_.turn);
    consider_later(entry.last_used + limits_.turn);
  }
  return out;
}

Milliseconds Scheduler::service_of(const Entry& entry) const {
  return entry.service.value_or(kUnmeasuredService);
}

std::optional<Milliseconds> Scheduler::expected_wait(const Entry& entry, std::size_t position, MonotonicTime now) const {
  const auto slots = static_cast<std::size_t>(std::max<std::int64_t>(1, entry.slots > 0 ? entry.slots : entry.terms.need.slots));
  const auto ahead = static_cast<std::int64_t>(position);
  if (entry.phase == Phase::loaded) {
    if (!entry.service) return std::nullopt;
    return *entry.service * ahead / static_cast<std::int64_t>(slots);
  }
  if (entry.phase != Phase::loading || !entry.load_time) return std::nullopt;
  const auto passed = std::chrono::duration_cast<Milliseconds>(now - entry.since);
  const Milliseconds load = std::max(Milliseconds(0), *entry.load_time - passed);
  if (position <= slots) return load;
  if (!entry.service) return std::nullopt;
  return load + *entry.service * ((ahead - 1) / static_cast<std::int64_t>(slots));
}

std::vector<Scheduler::Place> Scheduler::places(const ModelKey& model, MonotonicTime now) const {
  std::vector<Place> out;
  const auto found = entries_.find(model);
  if (found == entries_.end()) return out;
  for (const RequestId id : found->second.queue.order(service_of(found->second), now)) {
    const std::size_t position = out.size() + 1;
    out.push_back({id, position, expected_wait(found->second, position, now)});
  }
  return out;
}

std::size_t Scheduler::waiting(const ModelKey& model) const {
  const auto found = entries_.find(model);
  return found == entries_.end() ? 0 : found->second.queue.waiting();
}

bool Scheduler::has_staged(const ModelKey& model) const {
  const auto found = entries_.find(model);
  return found != entries_.end() && found->second.queue.staged();
}

bool Scheduler::waits_for_memory() const {
  return std::ranges::any_of(entries_, [](const auto& one) { return !one.second.in_memory() && one.second.queue.waiting() > 0; });
}

std::vector<HeldMemory> Scheduler::holdings() const {
  std::vector<HeldMemory> out;
  for (const auto& [key, entry] : entries_)
    if (entry.in_memory()) out.push_back({key.first, entry.held, entry.terms.pinned, entry.queue.running() > 0});
  return out;
}

}  // namespace puna::fleet
