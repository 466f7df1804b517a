#include "fleet/schedule/fair_queue.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace puna::fleet {
namespace {

double seconds(MonotonicTime::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::size_t FairQueue::Member::waiting() const {
  std::size_t out = has_staged ? 1 : 0;
  for (const auto& queue : queues) out += queue.size();
  return out;
}

bool FairQueue::is_present(const Member& member, MonotonicTime now) const {
  return member.active() || now - member.left < kPresence;
}

void FairQueue::drop_absent(MonotonicTime now) {
  std::erase_if(members_, [&](const auto& entry) { return !is_present(entry.second, now); });
}

void FairQueue::add(RequestId id, const Client& client, Priority priority, MonotonicTime now, Staging staging) {
  drop_absent(now);
  Member& member = members_[client.id];
  member.weight = std::max(client.weight, 1e-3);
  if (!member.active()) {
    std::optional<double> least;
    for (const auto& [name, other] : members_)
      if (other.active()) least = std::min(least.value_or(other.settled()), other.settled());
    member.served = std::max(member.served, least.value_or(0));
  }
  member.queues[static_cast<std::size_t>(priority)].push_back({id, now, ++sequence_, staging});
  ++waiting_;
}

bool FairQueue::remove(RequestId id, MonotonicTime now) {
  const bool is_staged = staged() == id;
  for (auto& [name, member] : members_) {
    bool found = is_staged && std::exchange(member.has_staged, false);
    for (auto& queue : member.queues) found = found || std::erase_if(queue, [&](const Waiting& one) { return one.id == id; }) > 0;
    if (!found) continue;
    if (is_staged) staged_.reset();
    --waiting_;
    if (!member.active()) member.left = now;
    return true;
  }
  return false;
}

std::size_t FairQueue::level_of(std::size_t queue, MonotonicTime since, MonotonicTime now) {
  return std::min(kPriorities - 1, queue + static_cast<std::size_t>(std::max<std::int64_t>(0, (now - since) / kAging)));
}

std::optional<FairQueue::Head> FairQueue::head_of(const Member& member, MonotonicTime now) {
  std::optional<Head> out;
  for (std::size_t queue = kPriorities; queue-- > 0;) {
    if (member.queues[queue].empty()) continue;
    const Head head{queue, level_of(queue, member.queues[queue].front().since, now)};
    const bool older =
        out && head.level == out->level && member.queues[queue].front().sequence < member.queues[out->queue].front().sequence;
    if (!out || head.level > out->level || older) out = head;
  }
  return out;
}

FairQueue::Members::iterator FairQueue::next(Members& members, MonotonicTime now, const std::function<bool(const Member&)>& may) {
  auto best = members.end();
  Head best_head;
  for (auto it = members.begin(); it != members.end(); ++it) {
    const auto head = head_of(it->second, now);
    if (!head || !may(it->second)) continue;
    const auto rank = [](const Member& member, const Head& of) {
      return std::tuple(-static_cast<int>(of.level), member.served, member.queues[of.queue].front().sequence);
    };
    if (best != members.end() && rank(best->second, best_head) <= rank(it->second, *head)) continue;
    best = it;
    best_head = *head;
  }
  return best;
}

FairQueue::Shares FairQueue::shares(MonotonicTime now) const {
  Shares out;
  for (const auto& [name, member] : members_) {
    if (member.active())
      out.weights += member.weight;
    else if (is_present(member, now))
      out.resting = std::max(out.resting, member.weight);
  }
  out.weights += out.resting;
  return out;
}

std::int64_t FairQueue::share_of(double weight, const Shares& shares, std::int64_t slots) {
  // The small term: a third of three slots is one, whatever the floating point says.
  const double exact = static_cast<double>(slots) * weight / std::max(shares.weights, weight) + 1e-9;
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(exact)), 1, slots);
}

// What the others do not want now and may want in a moment stays theirs. Of those who only rest one counts, so that many who have come by
// do not keep a machine idle.
std::int64_t FairQueue::kept_from(const Member& member, const Shares& shares, std::int64_t slots, MonotonicTime now) const {
  std::int64_t kept = shares.resting > 0 ? share_of(shares.resting, shares, slots) : 0;
  for (const auto& [name, other] : members_)
    if (&other != &member && other.held > 0 && other.waiting() == 0 && is_present(other, now))
      kept += std::max<std::int64_t>(0, share_of(other.weight, shares, slots) - other.held);
  return kept;
}

FairQueue::Members::iterator FairQueue::turn(std::int64_t slots, std::int64_t free, MonotonicTime now) {
  const Shares all = shares(now);
  const auto found = next(members_, now, [&](const Member& member) { return member.held < share_of(member.weight, all, slots); });
  if (found != members_.end()) return found;
  return next(members_, now, [&](const Member& member) { return free > kept_from(member, all, slots, now); });
}

FairQueue::Waiting FairQueue::pop(Member& member, MonotonicTime now) {
  auto& queue = member.queues[head_of(member, now)->queue];
  const Waiting out = queue.front();
  queue.pop_front();
  return out;
}

void FairQueue::begin(const Waiting& one, Members::iterator member, Milliseconds expected, MonotonicTime now) {
  const double charged = seconds(expected) / member->second.weight;
  --waiting_;
  ++member->second.held;
  member->second.served += charged;
  member->second.charged += charged;
  running_[one.id] = {member->first, now, charged, one.staging == Staging::allowed};
}

std::optional<RequestId> FairQueue::take(std::int64_t slots, Milliseconds expected, MonotonicTime now) {
  const std::int64_t free = slots - static_cast<std::int64_t>(running_.size());
  if (waiting_ == 0 || free <= 0) return std::nullopt;
  const auto member = turn(slots, free, now);
  if (member == members_.end()) return std::nullopt;
  const Waiting taken = pop(member->second, now);
  begin(taken, member, expected, now);
  return taken.id;
}

std::optional<RequestId> FairQueue::stage(std::int64_t slots, MonotonicTime now) {
  if (waiting_ == 0 || staged_ || static_cast<std::int64_t>(running_.size()) < slots) return std::nullopt;
  if (!std::ranges::all_of(running_, [](const auto& one) { return one.second.settled; })) return std::nullopt;
  const auto found = turn(slots, 1, now);
  if (found == members_.end()) return std::nullopt;
  Member& member = found->second;
  const Head head = *head_of(member, now);
  if (head.level == static_cast<std::size_t>(Priority::low)) return std::nullopt;
  if (member.queues[head.queue].front().staging != Staging::allowed) return std::nullopt;
  staged_ = {pop(member, now), found->first};
  member.has_staged = true;
  return staged_->request.id;
}

std::optional<RequestId> FairQueue::take_staged(std::int64_t slots, Milliseconds expected, MonotonicTime now) {
  const auto id = staged();
  if (!id || static_cast<std::int64_t>(running_.size()) >= slots) return std::nullopt;
  begun(*id, expected, now);
  return id;
}

bool FairQueue::begun(RequestId id, Milliseconds expected, MonotonicTime now) {
  if (const auto running = running_.find(id); running != running_.end()) running->second.settled = true;
  if (staged() != id) return false;
  const Staged one = *std::exchange(staged_, std::nullopt);
  const auto member = members_.find(one.client);
  member->second.has_staged = false;
  begin(one.request, member, expected, now);
  return true;
}

std::optional<Milliseconds> FairQueue::give_back(RequestId id, MonotonicTime now) {
  const auto found = running_.find(id);
  if (found == running_.end()) return std::nullopt;
  const auto held = now - found->second.since;
  Member& member = members_.at(found->second.client);
  member.served += seconds(held) / member.weight - found->second.charged;
  member.charged -= found->second.charged;
  --member.held;
  if (!member.active()) member.left = now;
  running_.erase(found);
  return std::chrono::duration_cast<Milliseconds>(held);
}

void FairQueue::forget_running(MonotonicTime now) {
  while (!running_.empty()) give_back(running_.begin()->first, now);
}

std::size_t FairQueue::waiting(const std::string& client) const {
  const auto found = members_.find(client);
  return found == members_.end() ? 0 : found->second.waiting();
}

std::size_t FairQueue::held_by(const std::string& client) const {
  const auto found = members_.find(client);
  return found == members_.end() ? 0 : static_cast<std::size_t>(found->second.held);
}

std::vector<RequestId> FairQueue::order(Milliseconds expected, MonotonicTime now) const {
  Members members = members_;
  std::vector<RequestId> out;
  out.reserve(waiting_);
  if (staged_) out.push_back(staged_->request.id);
  while (out.size() < waiting_) {
    Member& member = next(members, now, [](const Member&) { return true; })->second;
    auto& queue = member.queues[head_of(member, now)->queue];
    out.push_back(queue.front().id);
    queue.pop_front();
    member.served += seconds(expected) / member.weight;
  }
  return out;
}

std::optional<FairQueue::Urgency> FairQueue::urgency(MonotonicTime now) const {
  std::optional<Urgency> out;
  for (const auto& [name, member] : members_)
    for (std::size_t queue = 0; queue < kPriorities; ++queue) {
      if (member.queues[queue].empty()) continue;
      const auto since = member.queues[queue].front().since;
      const auto priority = static_cast<Priority>(level_of(queue, since, now));
      if (!out || priority > out->priority || (priority == out->priority && since < out->since)) out = Urgency{priority, since};
    }
  return out;
}

std::optional<MonotonicTime> FairQueue::next_change(MonotonicTime now) const {
  if (waiting_ == 0) return std::nullopt;
  std::optional<MonotonicTime> out;
  for (const auto& [name, member] : members_) {
    if (member.active() || !is_present(member, now)) continue;
    const auto absent = member.left + kPresence;
    if (!out || absent < *out) out = absent;
  }
  return out;
}

}  // namespace puna::fleet
