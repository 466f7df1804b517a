#include "base/event_bus.h"

#include <algorithm>

namespace puna {

EventBus::EventBus(std::size_t capacity) : capacity_(capacity) {}

std::uint64_t EventBus::publish(std::string type, json::object data) {
  std::uint64_t sequence = 0;
  {
    std::scoped_lock lock(mutex_);
    sequence = ++last_sequence_;
    ring_.push_back(std::make_shared<const Event>(Event{sequence, std::move(type), std::move(data), std::chrono::system_clock::now()}));
    if (ring_.size() > capacity_) ring_.pop_front();
  }
  std::scoped_lock lock(wake_mutex_);
  for (const auto& [id, subscriber] : subscribers_) subscriber.wake();
  return sequence;
}

EventBus::Batch EventBus::since(std::uint64_t after, std::size_t limit) const {
  std::scoped_lock lock(mutex_);
  Batch batch;
  if (ring_.empty() || after >= last_sequence_) {
    batch.gap = after > last_sequence_;  // a number of an earlier daemon
    return batch;
  }
  const std::uint64_t first = ring_.front()->sequence;
  batch.gap = after + 1 < first;
  std::size_t index = batch.gap ? 0 : static_cast<std::size_t>(after + 1 - first);
  for (; index < ring_.size() && batch.events.size() < limit; ++index) batch.events.push_back(ring_[index]);
  return batch;
}

std::uint64_t EventBus::latest() const {
  std::scoped_lock lock(mutex_);
  return last_sequence_;
}

EventBus::Subscription EventBus::subscribe(std::function<void()> wake, Listener listener) {
  std::scoped_lock lock(wake_mutex_);
  subscribers_.emplace(++last_subscription_, Subscriber{std::move(wake), listener});
  return {this, last_subscription_};
}

std::size_t EventBus::subscribers(Listener listener) const {
  std::scoped_lock lock(wake_mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(subscribers_, [&](const auto& one) { return one.second.listener == listener; }));
}

EventBus::Subscription& EventBus::Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    end();
    bus_ = std::exchange(other.bus_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

void EventBus::Subscription::end() {
  if (!bus_) return;
  std::scoped_lock lock(bus_->wake_mutex_);
  bus_->subscribers_.erase(id_);
  bus_ = nullptr;
}

}  // namespace puna
