#include "hub/turns.h"

namespace puna::hub {

bool Turns::taken(const std::string& key) {
  const std::lock_guard lock(mutex_);
  return taken_.contains(key);
}

Result<Turns::Turn> Turns::take(const std::string& key, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
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
