#include "hub/turns.h"

namespace puna::hub {

Result<Turns::Turn> Turns::take(const std::string& key, const std::stop_token& stop, const std::function<void()>& waits) {
  std::unique_lock lock(mutex_);
  if (taken_.contains(key)) {
    lock.unlock();
    waits();
    lock.lock();
  }
  freed_.wait(lock, stop, [&] { return !taken_.contains(key); });
  if (stop.stop_requested()) return fail(Code::cancelled, "the wait for another transfer was cancelled");
  taken_.insert(key);
  return Turn(this, key);
}

void Turns::end(const std::string& key) {
  const std::lock_guard lock(mutex_);
  taken_.erase(key);
  freed_.notify_all();
}

}  // namespace puna::hub
