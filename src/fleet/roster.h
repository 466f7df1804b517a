// Which workers there are, who waits for them, and which models have failed: what the scheduler decides is done here.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fleet/fleet.h"
#include "fleet/schedule/memory_book.h"
#include "fleet/schedule/scheduler.h"
#include "fleet/worker.h"

namespace puna::fleet {

// Fleet's inside. Coroutines that outlive the Fleet hold it; they find it closed then. Workers are named by number, because a worker may
// be gone when a coroutine continues.
class Roster : public std::enable_shared_from_this<Roster> {
 public:
  explicit Roster(FleetParts parts);

  [[nodiscard]] net::Task<Result<Lease>> acquire(std::string name, LeaseOptions options);
  [[nodiscard]] net::Task<Result<>> unload(std::string model);
  [[nodiscard]] net::Task<Result<>> shutdown(Milliseconds drain);
  void forgive(const std::string& model);
  [[nodiscard]] std::vector<wire::RunningModel> list() const;
  [[nodiscard]] std::vector<WorkerPlace> places() const;
  [[nodiscard]] std::size_t running() const { return workers_.size(); }
  void close();  // kills the workers

  // For leases.
  void release(std::uint64_t worker, RequestId request);
  void begun(RequestId request);
  [[nodiscard]] net::Task<Result<>> probe(std::uint64_t worker);
  [[nodiscard]] net::Task<Error> explain(std::uint64_t worker, Error error);

 private:
  using Key = ModelKey;
  // A request that waits for its lease; lives in its coroutine.
  class Waiter;
  struct Member {
    Worker* worker = nullptr;  // owned by the coroutine
    net::Spawned supervision;
    Key key;
    MemoryExpectation expectation;
    MemoryNeed measured;
    bool settled = false;       // measured after a request has used its buffers
    bool told_loaded = false;   // the scheduler knows
    bool told_leaving = false;  // so it does
  };
  // What a name stands for at the moment.
  struct Subject {
    std::uint64_t number = 0;  // another one for another file or other settings
    std::optional<Launch> launch;
    MemoryExpectation expectation;
    MonotonicTime places_told;  // to all who wait
  };
  // A model whose last worker failed.
  struct Trouble {
    int failures = 0;  // in a row, without an answered request between them
    std::chrono::steady_clock::time_point last;
    std::chrono::steady_clock::time_point retry_at;
    wire::WorkerFailure failure;
    wire::RunningModel view;
    Launch launch;
    bool gave_up = false;
    net::Spawned restart;
  };
  struct Ended {
    std::uint64_t worker = 0;
    std::string model;
    std::optional<wire::WorkerFailure> failure;
  };

  [[nodiscard]] Worker* find(std::uint64_t worker) const;
  [[nodiscard]] Worker* find(const Key& key) const;
  // What loading it takes, read from its files unless it is known.
  [[nodiscard]] net::Task<ModelTerms> terms_of(const Key& key, const Launch& launch);
  [[nodiscard]] Ask ask_of(const Key& key, const LeaseOptions& options);
  void refresh_budget();

  // Gives the waiter a lease of its model's worker, or the reason why there is none: then the request is nobody's.
  std::shared_ptr<Lease::Turn> give(RequestId request, const Key& key);
  // Does what the scheduler decided, in its order; what that leads to is done after it.
  void perform(Effects effects);
  void happen(const LoadModel& load);
  void happen(const StopModel& stop);
  void happen(const Stage& stage);
  void happen(const Grant& grant);
  void happen(const Refuse& refuse);
  void worker_changed(std::uint64_t worker);
  void note_measured(Member& member);
  static net::Task<void> write_measured(std::shared_ptr<Roster> self);
  void tell_place(Waiter& waiter, RequestId id);
  void tell_places();  // to those whose queue has moved, now and then
  void set_timer();
  void turn_everybody_away();
  void complete(const Key& key, wire::RunningModel& view) const;
  [[nodiscard]] static SchedulerLimits limits_of(const FleetOptions& options);
  [[nodiscard]] Result<> may_start(const Key& key) const;
  void start(const Key& key, const Subject& subject);
  static net::Task<void> supervise(std::shared_ptr<Roster> self, std::unique_ptr<Worker> worker);
  void bury(const Worker& worker);
  void remember(const Worker& worker, const wire::WorkerFailure& failure);
  // Of a worker that its launch wants to be restarted: later, or never again.
  void consider_restart(const Key& key);
  static net::Task<void> restart(std::shared_ptr<Roster> self, Key key, Milliseconds delay);
  [[nodiscard]] net::Task<Result<>> wait_until_gone(std::vector<std::uint64_t> workers, Milliseconds limit);
  [[nodiscard]] std::optional<Error> end_of(std::uint64_t worker) const;

  FleetParts parts_;
  bool closing_ = false;
  std::uint64_t last_worker_ = 0;
  std::map<std::uint64_t, Member> workers_;
  std::map<Key, Trouble> troubles_;
  std::deque<Ended> ended_;
  net::Notifier changed_;

  MemoryBook book_;
  Scheduler scheduler_;
  std::deque<Effect> effects_;  // to be done
  bool performing_ = false;
  RequestId last_request_ = 0;
  std::uint64_t last_launch_ = 0;
  std::map<RequestId, Waiter*> waiters_;
  std::map<RequestId, std::shared_ptr<Lease::Turn>> staged_;
  std::map<Key, Subject> subjects_;
  std::set<Key> queues_changed_;
  std::map<std::string, MemoryNeed> measured_;   // lately, by print: before what the book says, which is written later
  std::map<std::string, MemoryNeed> unwritten_;  // the same
  net::Spawned writer_;
  net::Watchdog timer_;  // the scheduler's next event
};

}  // namespace puna::fleet
