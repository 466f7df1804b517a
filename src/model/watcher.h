// A thread that sees changes of the library's own files and of other programs' stores, and tells them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "model/store_reader.h"
#include "os/folder_watch.h"

namespace puna::model {

class Watcher {
 public:
  // Called on the watcher's thread.
  struct Sink {
    std::function<std::set<FileIdentity>()> ours;                      // the library's own files, which stores may share
    std::function<void(const std::set<std::string>& file_names)> own;  // changed in the library's folder
    std::function<void()> own_unknown;                                 // anything may have changed there
    std::function<void(Sight)> found;
    std::function<Milliseconds()> chores;  // does what is due; the time until the next is (kForever: none)
  };
  Watcher(store::Database& database, std::filesystem::path own, StoreChoice choice, Sink sink);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  void configure(StoreChoice choice);
  // Something is due earlier than the last chores() said.
  void wake();
  // Waits until what was changed before this call has been told, at most this long. False when that cannot be known: the system has no
  // watches left, or the time is over.
  bool settle(Milliseconds patience);

 private:
  void run(const std::stop_token& stop);
  bool take_changes();  // whether stores need another look
  void look_at_stores(const std::stop_token& stop);
  Milliseconds rest() const;

  StoreReader reader_;
  const std::filesystem::path own_;
  const Sink sink_;
  Result<os::FolderWatch> watch_;
  bool stores_changed_ = true;
  bool stores_unwatched_ = false;  // some folder could not be watched: they are looked at from time to time
  MonotonicTime look_not_before_;
  MonotonicTime look_not_after_ = MonotonicTime::max();

  std::mutex mutex_;  // guards what follows
  std::condition_variable served_changed_;
  StoreChoice choice_;
  std::uint64_t asked_ = 1;
  std::uint64_t served_ = 0;
  bool idle_ = false;
  bool watches_own_ = false;

  std::jthread thread_;  // last
};

}  // namespace puna::model
