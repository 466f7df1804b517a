// The one way to run long work: a durable queue.
//
//   queued -> running -> completed | failed | cancelled
//   running -> paused (asked to, or by a failure that needs somebody's help), interrupted (the daemon ended), or queued again (a failure
//   that may pass)
//
// Every job ends in exactly one of completed, failed, cancelled, whatever its function does. Every change is persisted, logged with
// old state, new state and cause, and published as "job.updated" with a wire::Job.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/event_bus.h"
#include "base/settings.h"
#include "jobs/spec.h"
#include "jobs/table.h"
#include "wire/job.h"

namespace puna::jobs {

// Thread-safe. Its functions wait for the database, so they belong on a pool, not on the network thread. Settings are read at each use:
// a reload applies at once.
class Queue {
 public:
  Queue(store::Database& database, EventBus& events, const SettingsStore& settings, std::vector<JobSpec> specs);
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  // Joins the threads of running jobs. After a stop() that ran out of time this can wait as long as those jobs take.
  ~Queue();

  // Loads what was left, and begins to run. Jobs that ran when the daemon ended go on if their kind can, and fail otherwise.
  [[nodiscard]] Result<> start();
  // Takes no more jobs, asks the running ones to end, and persists them as interrupted. Code::deadline_exceeded names those that did
  // not end; their outcome is no longer recorded.
  [[nodiscard]] Result<> stop(Milliseconds deadline);

  // A job of the same kind and key that has not ended is returned instead of a second one. Code::overloaded when the queue is full.
  [[nodiscard]] Result<wire::Job> submit(std::string_view kind, json::value request, std::string_view key = {});
  // A running job is asked to end, and is cancelled as soon as its function returns.
  [[nodiscard]] Result<wire::Job> cancel(std::string_view id);
  // Code::unsupported for kinds that cannot go on from a checkpoint.
  [[nodiscard]] Result<wire::Job> pause(std::string_view id);
  [[nodiscard]] Result<wire::Job> resume(std::string_view id);

  [[nodiscard]] Result<wire::Job> get(std::string_view id) const;
  [[nodiscard]] std::vector<wire::Job> list() const;  // newest first
  // Jobs that are queued or running: what keeps a daemon from leaving.
  [[nodiscard]] std::size_t active() const;
  // The job once it has ended. Code::deadline_exceeded, Code::cancelled (by the token) or Code::unavailable (the queue stopped) before.
  [[nodiscard]] Result<wire::Job> wait(std::string_view id, Milliseconds deadline, std::stop_token stop = {});

 private:
  friend class JobContext;
  enum class Durable { required, best_effort };

  [[nodiscard]] Result<const JobSpec*> find_spec(std::string_view kind) const;
  [[nodiscard]] Result<Entry*> find(std::string_view id) const;
  Entry& add(Record record);
  [[nodiscard]] std::size_t count(std::initializer_list<wire::JobState> states) const;

  // The only place where a state changes. With Durable::required, a change that cannot be stored does not happen.
  [[nodiscard]] Result<> move(Entry& entry, wire::JobState to, std::string_view cause, Durable durable);
  // For what has happened already, and so is true even if it cannot be stored.
  void settle(Entry& entry, wire::JobState to, std::string_view cause);
  void fail_job(Entry& entry, Error error);
  void recover(Entry& entry);
  void publish(Entry& entry);
  void forget_old();

  // Called on the job's thread.
  void run(Entry& entry, const std::stop_token& stop);
  void finish(Entry& entry, Result<json::value> outcome);
  void finish_failed(Entry& entry, Error error);
  void report(Entry& entry, wire::JobProgress progress);
  [[nodiscard]] Result<> save_checkpoint(Entry& entry, json::value checkpoint);

  void begin_runnable(MonotonicTime now);
  void begin(Entry& entry);
  // The scheduler's thread: begins what had to wait for its time, shows progress that was held back, joins ended threads.
  void schedule(const std::stop_token& stop);
  void call_scheduler();
  void publish_due_progress(MonotonicTime now);
  [[nodiscard]] std::optional<MonotonicTime> next_deadline(MonotonicTime now) const;

  EventBus& events_;
  const SettingsStore& settings_;
  const std::vector<JobSpec> specs_;

  mutable std::mutex mutex_;  // guards everything below; held while the database is written, so that states never overtake each other
  Table table_;
  std::condition_variable_any changed_;
  std::map<std::int64_t, std::unique_ptr<Entry>> entries_;  // by order of submission
  std::map<std::string, Entry*, std::less<>> by_id_;
  bool accepting_ = false;
  bool stopped_ = false;
  std::condition_variable_any attention_;
  bool attention_wanted_ = false;
  std::minstd_rand dice_{std::random_device{}()};
  std::vector<std::jthread> ended_threads_;
  std::jthread scheduler_;
};

}  // namespace puna::jobs
