// Which models are in memory, and which request goes next: every decision of the fleet, and nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "fleet/lease.h"
#include "fleet/schedule/admission.h"
#include "fleet/schedule/fair_queue.h"
#include "fleet/schedule/memory.h"

namespace puna::fleet {

using ModelKey = std::pair<std::string, Purpose>;

struct SchedulerLimits {
  std::size_t models = 0;              // in memory at the same time; 0: as many as fit
  std::size_t queue_per_model = 256;   // requests that may wait
  std::size_t queue_per_client = 128;  // over all models
  Milliseconds turn{10'000};           // how long others may use memory that a request waits for, and how long a model may keep it
};

// What loading a model takes, as known when a request came.
struct ModelTerms {
  std::uint64_t launch = 0;  // another number: the name stands for another file or other settings now
  MemoryNeed need;
  bool pinned = false;  // never makes room for others
};

struct Ask {
  RequestId id = 0;  // of no other request, ever
  ModelKey model;
  Client client;
  Priority priority = Priority::normal;
  std::optional<MonotonicTime> deadline;
  Staging staging = Staging::never;
};

// What the owner shall do. A request that asked gets one Grant or one Refuse, unless it was cancelled before; a Stage may come before
// either.
struct LoadModel {
  ModelKey model;
  std::uint64_t launch = 0;
};
struct StopModel {  // it is idle
  ModelKey model;
  std::string cause;
  bool makes_room = false;  // for another model that is waited for
};
struct Stage {  // the worker may have it already, as the one that gets the next slot; still it waits
  RequestId request = 0;
  ModelKey model;
};
struct Grant {
  RequestId request = 0;
  ModelKey model;
  Milliseconds waited{0};
};
struct Refuse {
  RequestId request = 0;
  ModelKey model;
  Error error;
};
using Effect = std::variant<LoadModel, StopModel, Stage, Grant, Refuse>;
using Effects = std::vector<Effect>;

// Pure: time and figures come with each event, decisions go out as values, in the order in which they are to be done. The rules:
//
// - A model is loaded when its bytes fit, with those of the other models, into what the budget allows. To make room, models that are idle
//   are stopped, least recently used first; never one that is pinned or works.
// - A request whose model would need the room of busy models waits. When it has waited for a turn, those that had theirs take no new
//   requests: their streams end in their own time, then they make room. So no model is kept out for ever, and no stream is cut.
// - What can never fit is refused at once, with the sum.
// - A model's slots are shared as FairQueue says. Where the worker keeps a queue of its own, the request that gets the next slot is handed
//   over while every slot is taken. It is refused when its worker ends: who owns it asks again.
class Scheduler {
 public:
  explicit Scheduler(SchedulerLimits limits) : limits_(limits) {}

  [[nodiscard]] Effects ask(const Ask& ask, const ModelTerms& terms, MonotonicTime now);
  // Gone, whether it waits or holds a slot.
  [[nodiscard]] Effects cancel(RequestId request, MonotonicTime now);
  [[nodiscard]] Effects release(RequestId request, MonotonicTime now) { return cancel(request, now); }

  // The engine has begun with it. A staged request has its slot then, though whoever had that has not given it back yet.
  [[nodiscard]] Effects begun(RequestId request, MonotonicTime now);

  // `staging`: whether the worker queues what is more than its slots.
  [[nodiscard]] Effects loaded(const ModelKey& model, std::int64_t slots, MonotonicTime now, Staging staging = Staging::never);
  // Takes no new requests any more, for a reason of its own. Its bytes are taken until ended().
  [[nodiscard]] Effects leaving(const ModelKey& model, MonotonicTime now);
  // Its bytes are back. With an error those who waited for the load get it; who waited for a slot of a model that had been loaded
  // waits for the next one.
  [[nodiscard]] Effects ended(const ModelKey& model, const std::optional<Error>& error, MonotonicTime now);
  // Refuses everybody who waits for it.
  [[nodiscard]] Effects turn_away(const ModelKey& model, const Error& error, MonotonicTime now);

  // What a loaded model takes really.
  [[nodiscard]] Effects measured(const ModelKey& model, const MemoryPools& pools, MonotonicTime now);
  [[nodiscard]] Effects budget(const MemoryBudget& budget, MonotonicTime now);
  // Obeyed from the next event on.
  void configure(SchedulerLimits limits) { limits_ = limits; }
  // Deadlines, turns and presence that have passed.
  [[nodiscard]] Effects advance(MonotonicTime now);
  // When advance() has something to do.
  [[nodiscard]] std::optional<MonotonicTime> next_event(MonotonicTime now) const;

  // A request's place among those who wait for the model (1: next), and when its turn is likely to come, by how long requests took.
  struct Place {
    RequestId request = 0;
    std::size_t position = 0;
    std::optional<Milliseconds> expected_wait;
  };
  [[nodiscard]] std::vector<Place> places(const ModelKey& model, MonotonicTime now) const;
  [[nodiscard]] std::size_t waiting(const ModelKey& model) const;  // the staged one among them
  [[nodiscard]] bool has_staged(const ModelKey& model) const;
  [[nodiscard]] bool waits_for_memory() const;  // somebody
  [[nodiscard]] std::vector<HeldMemory> holdings() const;

 private:
  enum class Phase { absent, loading, loaded, leaving };
  struct Waiting {
    ModelKey model;
    std::string client;
    MonotonicTime since;
    std::optional<MonotonicTime> deadline;
  };
  struct Entry {
    Phase phase = Phase::absent;
    ModelTerms terms;          // of the latest request
    std::uint64_t launch = 0;  // that is in memory
    MemoryPools held;
    std::int64_t slots = 0;
    Staging staging = Staging::never;
    bool yielding = false;  // takes no new requests, because it is another's turn
    FairQueue queue;
    MonotonicTime since;                    // of the phase
    MonotonicTime last_used;                // end of its last request
    std::optional<Milliseconds> service;    // that a request holds a slot, smoothed
    std::optional<Milliseconds> load_time;  // smoothed
    [[nodiscard]] bool idle() const { return phase == Phase::loaded && queue.running() == 0; }
    [[nodiscard]] bool in_memory() const { return phase != Phase::absent; }
  };
  using Entries = std::map<ModelKey, Entry>;
  class Room;

  [[nodiscard]] Effects plan(MonotonicTime now, Effects before = {});
  void expire(MonotonicTime now, Effects& out);
  void refuse_impossible(MonotonicTime now, Effects& out);
  void plan_loads(MonotonicTime now, Effects& out);
  [[nodiscard]] bool stop_idle_for(Entries::iterator wanted, Room& room, MonotonicTime now, Effects& out);
  void ask_busy_to_yield(Entries::iterator wanted, Room& room, MonotonicTime now);
  void grant(MonotonicTime now, Effects& out);
  void grant_one(RequestId request, const ModelKey& model, MonotonicTime now, Effects& out);
  void end_outdated_and_yielding(MonotonicTime now, Effects& out);
  void stop(Entries::iterator it, StopModel why, MonotonicTime now, Effects& out);
  void refuse_waiting(const ModelKey& model, const Error& error, MonotonicTime now, Effects& out);
  [[nodiscard]] std::vector<Entries::iterator> in_order_of_urgency(MonotonicTime now);
  [[nodiscard]] std::vector<Entries::iterator> evictable(bool busy);
  [[nodiscard]] static std::vector<Entries::iterator> enough(const MemoryPools& need, Room room, std::vector<Entries::iterator> candidates);
  [[nodiscard]] std::string obstacle(const Entry& entry) const;
  [[nodiscard]] Milliseconds service_of(const Entry& entry) const;
  [[nodiscard]] std::optional<Milliseconds> expected_wait(const Entry& entry, std::size_t position, MonotonicTime now) const;
  [[nodiscard]] Error full(const Ask& ask, std::string_view what, std::size_t limit, MonotonicTime now) const;
  [[nodiscard]] std::size_t waiting_of(const std::string& client) const;
  void forget_unused();

  SchedulerLimits limits_;
  MemoryBudget budget_;
  Entries entries_;
  std::map<RequestId, Waiting> waiting_;
  std::map<RequestId, ModelKey> running_;
};

}  // namespace puna::fleet
