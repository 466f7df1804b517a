#include "jobs/queue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "base/log.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "jobs/entry.h"

namespace puna::jobs {
namespace {

using wire::JobState;

// A job whose run ends the daemon without warning, this often in a row, is not begun again.
constexpr std::int64_t kCrashesTolerated = 3;
// "For ever" for a condition variable, whose clock would overflow.
constexpr Milliseconds kLongestWait = std::chrono::hours(24 * 365);

// For a queue that goes without stop().
constexpr Milliseconds kPatienceAtTheEnd = std::chrono::seconds(5);

std::string active_key(std::string_view kind, std::string_view key) {
  return fmt::format("{}:{}", kind, key);
}

Error not_in_state(const Record& record, std::string_view wish) {
  return {Code::conflict, fmt::format("job {} is {} and cannot be {}", record.id, json::enum_name(record.state), wish)};
}

}  // namespace

Queue::Queue(store::Database& database, EventBus& events, const SettingsStore& settings, std::vector<JobSpec> specs)
    : events_(events), settings_(settings), specs_(std::move(specs)), table_(database) {}

Queue::~Queue() {
  if (auto stopped = stop(kPatienceAtTheEnd); !stopped)
    log::warning("jobs", "waiting for jobs that do not end", {{"error", stopped.error().text()}});
  std::vector<std::jthread> threads;
  {
    std::lock_guard lock(mutex_);
    threads = std::move(ended_threads_);
    for (auto& [sequence, entry] : entries_)
      if (entry->thread.joinable()) threads.push_back(std::move(entry->thread));
  }
}

Result<> Queue::start() {
  std::lock_guard lock(mutex_);
  if (accepting_ || stopped_) return fail(Code::conflict, "the job queue can be started once");
  PUNA_TRY(auto records, table_.load());
  for (auto& record : records) add(std::move(record));
  for (auto& [sequence, entry] : entries_)
    if (!wire::is_terminal(entry->record.state)) recover(*entry);
  forget_old();
  accepting_ = true;
  scheduler_ = std::jthread([this](const std::stop_token& stop) { schedule(stop); });
  begin_runnable(std::chrono::steady_clock::now());
  return {};
}

void Queue::recover(Entry& entry) {
  auto& record = entry.record;
  if (record.state == JobState::running) {
    ++record.crashes;
    settle(entry, JobState::interrupted, "the daemon ended without stopping it");
  }
  if (!entry.spec)
    fail_job(entry, {Code::unsupported, fmt::format("this program does not know jobs of kind '{}'", record.kind)});
  else if (record.state != JobState::interrupted)
    return;
  else if (!entry.spec->resumable)
    fail_job(entry, {Code::unavailable, "interrupted by the end of the daemon, and this kind of job cannot go on: start it again"});
  else if (record.crashes >= kCrashesTolerated)
    fail_job(entry, {Code::internal, fmt::format("the daemon ended {} times while this job ran: not begun again", record.crashes)});
  else
    settle(entry, JobState::queued, "the daemon is back");
}

Result<> Queue::stop(Milliseconds deadline) {
  std::vector<std::stop_source> to_stop;
  std::unique_lock lock(mutex_);
  if (stopped_) return {};
  accepting_ = false;
  for (auto& [sequence, entry] : entries_) {
    if (entry->record.state != JobState::running) continue;
    if (entry->intent == Intent::none) entry->intent = Intent::interrupt;
    to_stop.push_back(entry->thread.get_stop_source());
  }
  lock.unlock();
  for (auto& source : to_stop) source.request_stop();
  lock.lock();
  const auto limit = std::min(deadline, kLongestWait);
  changed_.wait_for(lock, limit, [&] { return count({JobState::running}) == 0; });
  std::vector<std::string> stubborn;
  for (auto& [sequence, entry] : entries_) {
    if (entry->record.state != JobState::running) continue;
    stubborn.push_back(fmt::format("{} ({})", entry->record.id, entry->record.title));
    settle(*entry, JobState::interrupted, "did not end in time when the daemon stopped");
  }
  stopped_ = true;
  changed_.notify_all();
  auto scheduler = std::move(scheduler_);
  lock.unlock();
  if (scheduler.joinable()) {
    scheduler.request_stop();
    scheduler.join();
  }
  if (stubborn.empty()) return {};
  return fail(Code::deadline_exceeded, fmt::format("jobs that did not end within {}: {}", format_duration(deadline), join(stubborn, ", ")));
}

Result<wire::Job> Queue::submit(std::string_view kind, json::value request, std::string_view key) {
  std::lock_guard lock(mutex_);
  if (!accepting_) return fail(Code::unavailable, "the job queue is stopping: try again when the daemon is back");
  PUNA_TRY(const auto* spec, find_spec(kind));
  if (!key.empty())
    for (const auto& [sequence, entry] : entries_)
      if (entry->record.active_key == active_key(kind, key)) return to_wire(entry->record);
  const auto limit = settings_.snapshot()->get(setting::kQueueLimit);
  if (const auto waiting = count({JobState::queued, JobState::paused}); static_cast<std::int64_t>(waiting) >= limit)
    return fail(Code::overloaded, fmt::format("{} jobs are waiting, which is the limit (setting {}): try again later, or cancel some",
                                              waiting, setting::kQueueLimit.key));
  Record record;
  record.id = new_ulid();
  record.sequence = entries_.empty() ? 1 : entries_.rbegin()->first + 1;
  record.kind = kind;
  record.title = spec->title ? spec->title(request) : std::string(kind);
  if (!key.empty()) record.active_key = active_key(kind, key);
  record.request = std::move(request);
  record.progress = json::encode(wire::JobProgress{});
  record.created_at = record.updated_at = std::chrono::system_clock::now();
  PUNA_CHECK(table_.insert(record));
  auto& entry = add(std::move(record));
  log::info("jobs", "job submitted", {{"job", entry.record.id}, {"kind", kind}, {"title", entry.record.title}});
  publish(entry);
  begin_runnable(std::chrono::steady_clock::now());
  return to_wire(entry.record);
}

Result<wire::Job> Queue::cancel(std::string_view id) {
  std::stop_source running(std::nostopstate);
  std::unique_lock lock(mutex_);
  PUNA_TRY(auto* entry, find(id));
  if (entry->record.state == JobState::cancelled) return to_wire(entry->record);
  if (wire::is_terminal(entry->record.state)) return fail(not_in_state(entry->record, "cancelled"));
  if (entry->record.state == JobState::running) {
    entry->intent = Intent::cancel;
    running = entry->thread.get_stop_source();
  } else {
    PUNA_CHECK(move(*entry, JobState::cancelled, "asked to cancel", Durable::required));
  }
  auto job = to_wire(entry->record);
  forget_old();
  lock.unlock();
  running.request_stop();  // outside the lock: it runs the function's own stop callbacks
  return job;
}

Result<wire::Job> Queue::pause(std::string_view id) {
  std::stop_source running(std::nostopstate);
  std::unique_lock lock(mutex_);
  PUNA_TRY(auto* entry, find(id));
  auto& record = entry->record;
  if (record.state == JobState::paused) return to_wire(record);
  if (!entry->spec || !entry->spec->resumable)
    return fail(Code::unsupported, fmt::format("jobs of kind '{}' cannot be paused, only cancelled", record.kind));
  if (record.state == JobState::running && entry->intent != Intent::cancel && entry->intent != Intent::interrupt) {
    entry->intent = Intent::pause;
    running = entry->thread.get_stop_source();
  } else if (record.state == JobState::queued) {
    PUNA_CHECK(move(*entry, JobState::paused, "asked to pause", Durable::required));
  } else {
    return fail(not_in_state(record, "paused"));
  }
  auto job = to_wire(record);
  lock.unlock();
  running.request_stop();
  return job;
}

Result<wire::Job> Queue::resume(std::string_view id) {
  std::lock_guard lock(mutex_);
  PUNA_TRY(auto* entry, find(id));
  if (entry->record.state == JobState::running && entry->intent == Intent::pause) {
    entry->intent = Intent::requeue;  // it has not ended yet: it goes back into the queue when it does
  } else if (entry->record.state == JobState::paused) {
    PUNA_CHECK(move(*entry, JobState::queued, "asked to resume", Durable::required));
    entry->not_before = {};
    begin_runnable(std::chrono::steady_clock::now());
  } else if (entry->record.state != JobState::queued) {
    return fail(not_in_state(entry->record, "resumed"));
  }
  return to_wire(entry->record);
}

Result<wire::Job> Queue::get(std::string_view id) const {
  std::lock_guard lock(mutex_);
  PUNA_TRY(auto* entry, find(id));
  return to_wire(entry->record);
}

std::vector<wire::Job> Queue::list() const {
  std::lock_guard lock(mutex_);
  std::vector<wire::Job> out;
  out.reserve(entries_.size());
  for (auto at = entries_.rbegin(); at != entries_.rend(); ++at) out.push_back(to_wire(at->second->record));
  return out;
}

std::size_t Queue::active() const {
  std::lock_guard lock(mutex_);
  return count({JobState::queued, JobState::running});
}

Result<wire::Job> Queue::wait(std::string_view id, Milliseconds deadline, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  PUNA_TRY(auto* entry, find(id));
  ++entry->waiters;
  const auto ended = [&] { return wire::is_terminal(entry->record.state); };
  changed_.wait_for(lock, stop, std::min(deadline, kLongestWait), [&] { return ended() || stopped_; });
  --entry->waiters;
  if (ended()) return to_wire(entry->record);
  if (stop.stop_requested()) return fail(Code::cancelled, fmt::format("the wait for job {} was given up", id));
  if (stopped_)
    return fail(Code::unavailable, fmt::format("the daemon is stopping; job {} is {}", id, json::enum_name(entry->record.state)));
  return fail(Code::deadline_exceeded, fmt::format("job {} has not ended within {}", id, format_duration(deadline)));
}

Result<const JobSpec*> Queue::find_spec(std::string_view kind) const {
  const auto found = std::ranges::find(specs_, kind, &JobSpec::kind);
  if (found != specs_.end()) return &*found;
  return fail(Code::invalid_argument, fmt::format("no kind of job is called '{}'", kind));
}

Result<Entry*> Queue::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return fail(Code::not_found, fmt::format("no job has the id '{}'", printable(id)));
  return found->second;
}

Entry& Queue::add(Record record) {
  auto entry = std::make_unique<Entry>();
  const auto spec = std::ranges::find(specs_, record.kind, &JobSpec::kind);
  entry->spec = spec == specs_.end() ? nullptr : &*spec;
  entry->record = std::move(record);
  auto& out = *entry;
  by_id_[out.record.id] = &out;
  entries_[out.record.sequence] = std::move(entry);
  return out;
}

std::size_t Queue::count(std::initializer_list<JobState> states) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      entries_, [&](const auto& item) { return std::ranges::find(states, item.second->record.state) != states.end(); }));
}

Result<> Queue::move(Entry& entry, JobState to, std::string_view cause, Durable durable) {
  const auto from = entry.record.state;
  if (!may_follow(from, to)) return fail(not_in_state(entry.record, json::enum_name(to)));
  Record next = entry.record;
  next.state = to;
  next.updated_at = std::chrono::system_clock::now();
  if (entry.meter.current()) next.progress = json::encode(*entry.meter.current());
  if (wire::is_terminal(to)) next.active_key.reset();
  auto saved = table_.update(next);
  if (!saved) log::error("jobs", "a job's state could not be stored", {{"job", next.id}, {"error", saved.error().text()}});
  if (!saved && durable == Durable::required) return saved;
  entry.record = std::move(next);
  log::info("jobs", "job state changed",
            {{"job", entry.record.id}, {"kind", entry.record.kind}, {"from", from}, {"to", to}, {"cause", cause}});
  publish(entry);
  changed_.notify_all();
  return {};
}

void Queue::settle(Entry& entry, JobState to, std::string_view cause) {
  if (auto moved = move(entry, to, cause, Durable::best_effort); !moved)
    log::error("jobs", "a state that must not follow", {{"job", entry.record.id}, {"error", moved.error().text()}});
}

void Queue::fail_job(Entry& entry, Error error) {
  entry.record.failure = json::encode(wire::JobFailure{std::string(to_string(error.code)), error.text()});
  settle(entry, JobState::failed, error.text());
}

void Queue::publish(Entry& entry) {
  entry.meter.shown(std::chrono::steady_clock::now());
  events_.publish_as("job.updated", to_wire(entry.record));
}

void Queue::forget_old() {
  const auto keep = static_cast<std::size_t>(settings_.snapshot()->get(setting::kJobHistory));
  auto ended = count({JobState::completed, JobState::failed, JobState::cancelled});
  std::vector<std::string> old;
  for (auto at = entries_.begin(); at != entries_.end() && ended > keep; ++at) {
    const auto& entry = *at->second;
    if (!wire::is_terminal(entry.record.state) || entry.waiters > 0 || entry.thread.joinable()) continue;
    old.push_back(entry.record.id);
    --ended;
  }
  if (old.empty()) return;
  if (auto removed = table_.remove(old); !removed)
    return log::warning("jobs", "old jobs could not be removed", {{"error", removed.error().text()}});
  for (const auto& id : old) {
    const auto sequence = by_id_.find(id)->second->record.sequence;
    by_id_.erase(id);
    entries_.erase(sequence);
  }
}

}  // namespace puna::jobs
