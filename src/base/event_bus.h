// The one way to be told: every change of state is an event with a sequence number.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace puna {

struct Event {
  std::uint64_t sequence = 0;
  std::string type;  // "job.updated", "worker.state", ...
  json::object data;
  WallTime time;
};

// Keeps the last `capacity` events; readers pull at their own pace, so a slow one costs no memory. Thread-safe.
class EventBus {
 public:
  explicit EventBus(std::size_t capacity = 4096);
  EventBus(const EventBus&) = delete;
  EventBus& operator=(const EventBus&) = delete;

  std::uint64_t publish(std::string type, json::object data);
  template <class T>
  std::uint64_t publish_as(std::string type, const T& described) {
    return publish(std::move(type), json::encode(described).as_object());
  }

  struct Batch {
    std::vector<std::shared_ptr<const Event>> events;
    bool gap = false;  // events between `after` and the first one here are gone: read the state anew
  };
  [[nodiscard]] Batch since(std::uint64_t after, std::size_t limit = 256) const;
  [[nodiscard]] std::uint64_t latest() const;

  // Who is told: a client of the daemon, or a part of it.
  enum class Listener { client, part };

  // Calls `wake` after each publish, on the publisher's thread; it must only signal. Ends with the object; after its destructor
  // returns, `wake` is not running and will not run again.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept : bus_(std::exchange(other.bus_, nullptr)), id_(other.id_) {}
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription() { end(); }

   private:
    friend class EventBus;
    Subscription(EventBus* bus, std::uint64_t id) : bus_(bus), id_(id) {}
    void end();
    EventBus* bus_ = nullptr;
    std::uint64_t id_ = 0;
  };
  [[nodiscard]] Subscription subscribe(std::function<void()> wake, Listener listener = Listener::part);
  [[nodiscard]] std::size_t subscribers(Listener listener) const;

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;  // guards the ring
  std::deque<std::shared_ptr<const Event>> ring_;
  std::uint64_t last_sequence_ = 0;
  mutable std::mutex wake_mutex_;  // guards the subscribers; held while they are woken
  struct Subscriber {
    std::function<void()> wake;
    Listener listener = Listener::part;
  };
  std::map<std::uint64_t, Subscriber> subscribers_;
  std::uint64_t last_subscription_ = 0;
};

}  // namespace puna
