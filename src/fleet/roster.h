// Which workers there are, who waits for them, and which models have failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fleet/fleet.h"
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
  [[nodiscard]] std::vector<wire::RunningModel> list() const;
  [[nodiscard]] std::size_t running() const { return workers_.size(); }
  void close();  // kills the workers

  // For leases.
  void release(std::uint64_t worker);
  [[nodiscard]] net::Task<Result<>> probe(std::uint64_t worker);
  [[nodiscard]] net::Task<Error> explain(std::uint64_t worker, Error error);

 private:
  using Key = std::pair<std::string, Purpose>;
  class Waiter;
  struct Member {
    Worker* worker = nullptr;  // owned by the coroutine
    net::Spawned supervision;
  };
  // A model whose last worker failed.
  struct Trouble {
    int failures = 0;  // in a row, without an answered request between them
    std::chrono::steady_clock::time_point last;
    std::chrono::steady_clock::time_point retry_at;
    wire::WorkerFailure failure;
    wire::RunningModel view;
  };
  struct Ended {
    std::uint64_t worker = 0;
    std::string model;
    std::optional<wire::WorkerFailure> failure;
  };

  [[nodiscard]] Worker* find(std::uint64_t worker) const;
  [[nodiscard]] Worker* find(const Key& key) const;
  [[nodiscard]] Result<> may_start(const Key& key) const;
  Worker& start(const Key& key, const Launch& launch);
  static net::Task<void> supervise(std::shared_ptr<Roster> self, std::unique_ptr<Worker> worker);
  void bury(const Worker& worker);
  void remember(const Worker& worker, const wire::WorkerFailure& failure);
  [[nodiscard]] net::Task<Result<>> wait_until_loaded(std::uint64_t worker);
  [[nodiscard]] net::Task<Result<>> wait_until_gone(std::vector<std::uint64_t> workers, Milliseconds limit);
  [[nodiscard]] std::optional<Error> end_of(std::uint64_t worker) const;

  FleetParts parts_;
  bool closing_ = false;
  std::uint64_t last_worker_ = 0;
  std::map<std::uint64_t, Member> workers_;
  std::map<Key, Trouble> troubles_;
  std::deque<Ended> ended_;
  net::Notifier changed_;
};

}  // namespace puna::fleet
