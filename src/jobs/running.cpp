// How the queue runs jobs: threads, outcomes, retries, progress.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "base/log.h"
#include "base/settings_registry.h"
#include "jobs/entry.h"
#include "jobs/queue.h"
#include "jobs/retry.h"

namespace puna::jobs {

using wire::JobState;

JobContext::JobContext(Queue& queue, Entry& entry, std::stop_token stop)
    : queue_(queue), entry_(entry), id_(entry.record.id), request_(entry.record.request), stop_(std::move(stop)) {}

Result<> JobContext::go_on() const {
  if (stop_.stop_requested()) return fail(Code::cancelled, "asked to end");
  return {};
}

void JobContext::progress(wire::JobProgress progress) {
  queue_.report(entry_, std::move(progress));
}

std::optional<json::value> JobContext::checkpoint() const {
  std::lock_guard lock(queue_.mutex_);
  return entry_.record.checkpoint;
}

Result<> JobContext::save_checkpoint(json::value checkpoint) {
  return queue_.save_checkpoint(entry_, std::move(checkpoint));
}

void Queue::begin_runnable(MonotonicTime now) {
  const auto parallel = settings_.snapshot()->get(setting::kParallelJobs);
  std::int64_t running = 0;
  std::set<std::string_view> in_background;
  const auto take_place = [&](const Entry& entry) {
    if (entry.record.state != JobState::running) return;
    if (entry.spec != nullptr && entry.spec->background)
      in_background.insert(entry.spec->kind);
    else
      ++running;
  };
  for (const auto& [sequence, entry] : entries_) take_place(*entry);
  for (auto& [sequence, entry] : entries_) {
    if (!accepting_) return;
    if (entry->record.state != JobState::queued || entry->not_before > now) continue;
    const bool room = entry->spec != nullptr && entry->spec->background ? !in_background.contains(entry->spec->kind) : running < parallel;
    if (!room) continue;
    begin(*entry);
    take_place(*entry);
  }
}

void Queue::begin(Entry& entry) {
  ++entry.record.attempt;
  entry.record.failure.reset();
  entry.intent = Intent::none;
  entry.meter = {};
  settle(entry, JobState::running, fmt::format("attempt {}", entry.record.attempt));
  try {
    entry.thread = std::jthread([this, &entry](const std::stop_token& stop) { run(entry, stop); });
  } catch (const std::system_error& error) {
    fail_job(entry, {Code::unavailable, fmt::format("no thread could be started for the job: {}", error.what())});
  }
}

void Queue::run(Entry& entry, const std::stop_token& stop) {
  Result<json::value> outcome = fail(Code::internal, "the job ended without an outcome");
  {
    std::unique_lock begun(mutex_);  // begin() has stored the thread when this is passed
    JobContext context(*this, entry, stop);
    begun.unlock();
    try {
      outcome = entry.spec->run(context);
    } catch (const std::exception& error) {
      outcome = fail(Code::internal, fmt::format("the job ended with an exception: {}", error.what()));
    } catch (...) {
      outcome = fail(Code::internal, "the job ended with an exception of unknown type");
    }
  }
  finish(entry, std::move(outcome));
}

void Queue::finish(Entry& entry, Result<json::value> outcome) {
  std::lock_guard lock(mutex_);
  ended_threads_.push_back(std::move(entry.thread));
  call_scheduler();
  if (entry.record.state != JobState::running) return;  // stop() has given it up
  entry.record.crashes = 0;
  if (outcome) {
    entry.record.result = std::move(*outcome);
    settle(entry, JobState::completed, "finished");
  } else {
    finish_failed(entry, std::move(outcome).error());
  }
  forget_old();
  begin_runnable(std::chrono::steady_clock::now());
}

void Queue::finish_failed(Entry& entry, Error error) {
  if (entry.intent == Intent::cancel || (entry.intent == Intent::none && error.code == Code::cancelled)) {
    settle(entry, JobState::cancelled, entry.intent == Intent::cancel ? "asked to cancel" : error.text());
    return;
  }
  const bool ended_as_asked = error.code == Code::cancelled || may_pass(error.code);
  if (entry.intent == Intent::pause && ended_as_asked) {
    settle(entry, JobState::paused, "asked to pause");
  } else if (entry.intent == Intent::requeue && ended_as_asked) {
    settle(entry, JobState::queued, "asked to resume");
  } else if (entry.intent == Intent::interrupt && ended_as_asked) {
    settle(entry, JobState::interrupted, "the daemon stops");
  } else if (entry.spec->resumable && std::ranges::find(entry.spec->pauses_on, error.code) != entry.spec->pauses_on.end()) {
    entry.record.failure = json::encode(wire::JobFailure{std::string(to_string(error.code)), error.text()});
    settle(entry, JobState::paused, error.text());
  } else if (const auto delay = retry_delay(entry.spec->retry, error, ++entry.failures, std::uniform_real_distribution<>(0, 1)(dice_))) {
    entry.not_before = std::chrono::steady_clock::now() + *delay;
    entry.record.failure = json::encode(wire::JobFailure{std::string(to_string(error.code)), error.text()});
    settle(entry, JobState::queued, fmt::format("tried again in {} after: {}", format_duration(*delay), error.text()));
  } else {
    fail_job(entry, std::move(error));
  }
}

void Queue::report(Entry& entry, wire::JobProgress progress) {
  std::lock_guard lock(mutex_);
  if (entry.record.state != JobState::running) return;
  const auto now = std::chrono::steady_clock::now();
  const bool held_back = entry.meter.due().has_value();
  entry.meter.report(std::move(progress), now);
  if (*entry.meter.due() <= now) {
    entry.record.progress = json::encode(*entry.meter.current());
    publish(entry);
  } else if (!held_back) {
    call_scheduler();
  }
}

Result<> Queue::save_checkpoint(Entry& entry, json::value checkpoint) {
  std::lock_guard lock(mutex_);
  if (entry.record.state != JobState::running) return fail(Code::cancelled, "the job was given up");
  if (entry.record.checkpoint == checkpoint) return {};
  Record next = entry.record;
  next.checkpoint = std::move(checkpoint);
  next.crashes = 0;
  if (entry.meter.current()) next.progress = json::encode(*entry.meter.current());
  PUNA_CHECK(table_.update(next));
  entry.record = std::move(next);
  entry.failures = 0;
  return {};
}

void Queue::call_scheduler() {
  attention_wanted_ = true;
  attention_.notify_all();
}

void Queue::schedule(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    attention_wanted_ = false;
    // One reading of the clock for all, so that nothing becomes due between two of these steps unseen.
    const auto now = std::chrono::steady_clock::now();
    begin_runnable(now);
    publish_due_progress(now);
    auto ended = std::exchange(ended_threads_, {});
    lock.unlock();
    ended.clear();  // joins: each has left the queue already
    lock.lock();
    const auto wanted = [&] { return attention_wanted_; };
    if (const auto deadline = next_deadline(now))
      attention_.wait_until(lock, stop, *deadline, wanted);
    else
      attention_.wait(lock, stop, wanted);
  }
}

void Queue::publish_due_progress(MonotonicTime now) {
  for (auto& [sequence, entry] : entries_) {
    if (entry->record.state != JobState::running || !entry->meter.due() || *entry->meter.due() > now) continue;
    entry->record.progress = json::encode(*entry->meter.current());
    publish(*entry);
  }
}

std::optional<MonotonicTime> Queue::next_deadline(MonotonicTime now) const {
  std::optional<MonotonicTime> out;
  const auto consider = [&](MonotonicTime time) { out = out ? std::min(*out, time) : time; };
  for (const auto& [sequence, entry] : entries_) {
    if (entry->record.state == JobState::running && entry->meter.due()) consider(*entry->meter.due());
    if (entry->record.state == JobState::queued && entry->not_before > now) consider(entry->not_before);
  }
  return out;
}

}  // namespace puna::jobs
