// One at a time for each key: whoever wants what another thread works on waits for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <utility>

#include "base/error.h"

namespace puna::hub {

// Thread-safe. Must outlive its turns.
class Turns {
 public:
  class Turn {
   public:
    Turn(Turn&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), key_(std::move(other.key_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (owner_) owner_->end(key_);
    }

   private:
    friend class Turns;
    Turn(Turns* owner, std::string key) : owner_(owner), key_(std::move(key)) {}
    Turns* owner_;
    std::string key_;
  };

  // Waits until the key is free, or for Code::cancelled; calls `waits` first if it must.
  [[nodiscard]] Result<Turn> take(const std::string& key, const std::stop_token& stop, const std::function<void()>& waits);

 private:
  void end(const std::string& key);

  std::mutex mutex_;  // guards taken_
  std::condition_variable_any freed_;
  std::set<std::string> taken_;
};

}  // namespace puna::hub
