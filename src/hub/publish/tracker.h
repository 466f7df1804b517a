// Counts bytes on their way, so that a part that is sent again does not turn progress back.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "hub/publish/cargo.h"

namespace puna::hub::publish {

// Thread-safe. A call that was given up may still tell it something: it is shared with that call, and deaf once it was closed.
class Tracker {
 public:
  Tracker(Bytes total, Progress progress) : total_(total), progress_(std::move(progress)) { progress_(Bytes(0), total_); }

  // So many bytes of the part that is under way are gone; `before` are those of all parts before it.
  void moved(Bytes before, Bytes of_part) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    const Bytes now = std::min(before + of_part, total_);
    if (now <= shown_) return;
    shown_ = now;
    progress_(now, total_);
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  const Bytes total_;
  const Progress progress_;
  std::mutex mutex_;
  Bytes shown_;
  bool closed_ = false;
};

// Closes a tracker at the end of a block.
class TrackerScope {
 public:
  TrackerScope(Bytes total, Progress progress) : tracker_(std::make_shared<Tracker>(total, std::move(progress))) {}
  TrackerScope(const TrackerScope&) = delete;
  TrackerScope& operator=(const TrackerScope&) = delete;
  ~TrackerScope() { tracker_->close(); }
  [[nodiscard]] const std::shared_ptr<Tracker>& get() const { return tracker_; }

 private:
  std::shared_ptr<Tracker> tracker_;
};

}  // namespace puna::hub::publish
