// One fetch()'s interest in one file: what it asked for, how far the file is, what became of it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>

#include "base/error.h"
#include "hub/transfer/transfer.h"

namespace puna::hub::transfer {

// How a transfer looks from outside.
struct Glimpse {
  FileProgress file;
  std::string_view phase = "preparing";
  int connections = 0;
  std::string note;
};

// Thread-safe; shared by the thread that waits in fetch() and by the engine's.
class Subscriber {
 public:
  // `changed` is called when there is something to look at.
  Subscriber(const Wanted& wanted, int priority, std::function<void()> changed);

  [[nodiscard]] const Wanted& wanted() const { return wanted_; }
  [[nodiscard]] int priority() const { return priority_; }

  // Call what the asker gave; Code::cancelled once it has withdrawn.
  [[nodiscard]] Result<Location> locate(Why why);
  [[nodiscard]] Result<> begins_right(std::string_view beginning, std::string_view content_type);
  // From then on nothing of the asker's is called; returns when no call is under way.
  void withdraw();
  [[nodiscard]] bool withdrawn() const;

  void show(Glimpse glimpse);
  [[nodiscard]] Glimpse glimpse() const;
  // Once.
  void finish(Result<Arrived> outcome);
  [[nodiscard]] std::optional<Result<Arrived>> outcome() const;

 private:
  [[nodiscard]] bool enter();
  void leave();

  const Wanted wanted_;
  const int priority_;
  const std::function<void()> changed_;
  std::stop_source stop_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable quiet_;
  int calls_ = 0;
  bool withdrawn_ = false;
  Glimpse glimpse_;
  std::optional<Result<Arrived>> outcome_;
};

}  // namespace puna::hub::transfer
