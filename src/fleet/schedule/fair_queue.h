// Who gets the next slot of one model.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "fleet/lease.h"

namespace puna::fleet {

using RequestId = std::uint64_t;

// Shares a model's slots between clients by the time that each had slots, divided by its weight: who had least goes first. A client that
// comes back starts level with the others: absence saves nothing up. Higher priorities go first, and waiting raises a request by one
// priority each kAging; within a client and a priority it is first come, first served.
//
// While several clients are present, each may always have its share of the slots; more only where that leaves the others theirs. So one
// client's flood never holds every slot when the next request of another comes. Pure: time comes with each call.
class FairQueue {
 public:
  static constexpr Milliseconds kAging{120'000};
  // A client counts as present so long after its last request, because a person reads before asking again.
  static constexpr Milliseconds kPresence{30'000};

  void add(RequestId id, const Client& client, Priority priority, MonotonicTime now, Staging staging = Staging::never);
  // Whether it waited here.
  bool remove(RequestId id, MonotonicTime now);
  // Takes the next out of those who wait and gives it a slot; nothing when nobody waits, or when what is free is kept for others.
  // `expected` is what a request is charged until its end tells better.
  [[nodiscard]] std::optional<RequestId> take(std::int64_t slots, Milliseconds expected, MonotonicTime now);
  // While every slot is taken: who gets the next one, chosen already, so that the worker has its request when the slot comes back. Not more
  // than one, none of low priority, and only where take() would choose so, too: it still waits, as the first. None while the worker has not
  // begun with a request that must not be staged itself: the slot that is free for it would go to the staged one.
  [[nodiscard]] std::optional<RequestId> stage(std::int64_t slots, MonotonicTime now);
  // Gives the staged one its slot when one is free.
  [[nodiscard]] std::optional<RequestId> take_staged(std::int64_t slots, Milliseconds expected, MonotonicTime now);
  // The worker has begun with it. True for the staged one, which has a slot then even when nobody has given one back yet.
  bool begun(RequestId id, Milliseconds expected, MonotonicTime now);
  [[nodiscard]] std::optional<RequestId> staged() const { return staged_ ? std::optional(staged_->request.id) : std::nullopt; }

  // A slot came back. Returns how long it was held; nothing for one that was not taken here.
  std::optional<Milliseconds> give_back(RequestId id, MonotonicTime now);
  // The worker is gone, and with it the slots.
  void forget_running(MonotonicTime now);

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t waiting(const std::string& client) const;
  [[nodiscard]] std::size_t running() const { return running_.size(); }
  [[nodiscard]] std::size_t held_by(const std::string& client) const;
  // In the order in which they would be taken if each slot that comes back went to the next.
  [[nodiscard]] std::vector<RequestId> order(Milliseconds expected, MonotonicTime now) const;
  // Of those who wait: the most urgent priority, and since when its oldest request waits. Absent when nobody waits.
  struct Urgency {
    Priority priority = Priority::normal;
    MonotonicTime since;
  };
  [[nodiscard]] std::optional<Urgency> urgency(MonotonicTime now) const;
  // When slots that are kept for a client that does not come are free for others: nothing is kept, or nobody waits: absent.
  [[nodiscard]] std::optional<MonotonicTime> next_change(MonotonicTime now) const;

 private:
  static constexpr std::size_t kPriorities = 3;
  struct Waiting {
    RequestId id = 0;
    MonotonicTime since;
    std::uint64_t sequence = 0;
    Staging staging = Staging::never;
  };
  struct Staged {
    Waiting request;
    std::string client;
  };
  struct Member {
    double weight = 1;
    double served = 0;   // slot seconds by weight
    double charged = 0;  // of these, for requests that have not ended
    std::int64_t held = 0;
    bool has_staged = false;
    MonotonicTime left;  // when its last request ended
    std::array<std::deque<Waiting>, kPriorities> queues;
    [[nodiscard]] std::size_t waiting() const;
    [[nodiscard]] double settled() const { return served - charged; }
    [[nodiscard]] bool active() const { return held > 0 || waiting() > 0; }
  };
  struct Running {
    std::string client;
    MonotonicTime since;
    double charged = 0;
    bool settled = true;  // begun, or of no consequence for others
  };
  struct Head {
    std::size_t queue = 0;  // of the member's
    std::size_t level = 0;  // its priority after aging
  };
  using Members = std::map<std::string, Member>;

  [[nodiscard]] static std::size_t level_of(std::size_t queue, MonotonicTime since, MonotonicTime now);
  [[nodiscard]] static std::optional<Head> head_of(const Member& member, MonotonicTime now);
  [[nodiscard]] static Members::iterator next(Members& members, MonotonicTime now, const std::function<bool(const Member&)>& may);
  // A client's share of the slots, at least one, and how many are kept for the others.
  struct Shares {
    double weights = 0;
    double resting = 0;  // the largest weight among the present that want nothing now
  };
  [[nodiscard]] Shares shares(MonotonicTime now) const;
  [[nodiscard]] static std::int64_t share_of(double weight, const Shares& shares, std::int64_t slots);
  [[nodiscard]] std::int64_t kept_from(const Member& member, const Shares& shares, std::int64_t slots, MonotonicTime now) const;
  // The client that gets one of so many free slots.
  [[nodiscard]] Members::iterator turn(std::int64_t slots, std::int64_t free, MonotonicTime now);
  Waiting pop(Member& member, MonotonicTime now);
  void begin(const Waiting& one, Members::iterator member, Milliseconds expected, MonotonicTime now);
  [[nodiscard]] bool is_present(const Member& member, MonotonicTime now) const;
  void drop_absent(MonotonicTime now);

  Members members_;
  std::map<RequestId, Running> running_;
  std::optional<Staged> staged_;
  std::size_t waiting_ = 0;  // the staged one among them
  std::uint64_t sequence_ = 0;
};

}  // namespace puna::fleet
