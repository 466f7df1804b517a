// What the queue's tests share: a queue over a database in memory or in a file, and gates instead of sleeps.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>

#include "jobs/queue.h"

namespace puna::jobs::test {

using namespace std::chrono_literals;
using wire::JobState;

inline constexpr Milliseconds kSoon = 20s;  // far longer than anything here takes

// Ends a function as a well-behaved job does: at once when asked to.
inline Result<json::value> wait_for_the_end(JobContext& context) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, context.stop(), [] { return false; });
  return fail(Code::cancelled, "asked to end");
}

inline Result<json::value> succeed(JobContext& context) {
  return context.request();
}

class Rig {
 public:
  explicit Rig(std::vector<JobSpec> specs, std::map<std::string, std::string> settings = {}, const std::filesystem::path& file = ":memory:")
      : database(store::Database::open(file).value()),
        settings_store({.flags = std::move(settings)}),
        queue(std::make_unique<Queue>(database, events, settings_store, std::move(specs))) {
    queue->start().value();
  }
  wire::Job submit(std::string_view kind = "work", json::value request = nullptr, std::string_view key = {}) {
    return queue->submit(kind, std::move(request), key).value();
  }
  wire::Job ended(const wire::Job& job) { return queue->wait(job.id, kSoon).value(); }
  // Waits for the event that shows the job in this state.
  void await(const wire::Job& job, JobState state) {
    await([&](const wire::Job& seen) { return seen.id == job.id && seen.state == state; });
  }
  void await(const std::function<bool(const wire::Job&)>& wanted) {
    std::mutex mutex;
    std::condition_variable published;
    const auto subscription = events.subscribe([&] {
      std::lock_guard lock(mutex);
      published.notify_all();
    });
    std::unique_lock lock(mutex);
    EXPECT_TRUE(published.wait_for(lock, kSoon, [&] { return std::ranges::any_of(history(), wanted); }));
  }
  // Every state that was published, oldest first.
  std::vector<wire::Job> history() const {
    std::vector<wire::Job> out;
    for (const auto& event : events.since(0, 100000).events) out.push_back(json::decode<wire::Job>(event->data).value());
    return out;
  }
  std::vector<JobState> states(const wire::Job& job) const {
    std::vector<JobState> out;
    for (const auto& seen : history())
      if (seen.id == job.id && (out.empty() || out.back() != seen.state)) out.push_back(seen.state);
    return out;
  }

  store::Database database;
  EventBus events;
  SettingsStore settings_store;
  std::unique_ptr<Queue> queue;
};

}  // namespace puna::jobs::test
