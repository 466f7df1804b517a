#include "model/watcher.h"

#include <algorithm>

#include "base/log.h"

namespace puna::model {
namespace {

// A store that somebody is writing to changes all the time: looks at it are apart by this, and by a multiple of what one costs.
constexpr Milliseconds kBetweenLooks{500};
constexpr int kRestPerLook = 20;
constexpr Milliseconds kUnwatchedLook{30'000};

Milliseconds until(MonotonicTime time) {
  const auto now = std::chrono::steady_clock::now();
  return time <= now ? Milliseconds(0) : std::chrono::ceil<Milliseconds>(time - now);
}

}  // namespace

Watcher::Watcher(store::Database& database, std::filesystem::path own, StoreChoice choice, Sink sink)
    : reader_(database), own_(std::move(own)), sink_(std::move(sink)), watch_(os::FolderWatch::create()), choice_(std::move(choice)) {
  auto watching = watch_ ? watch_->add(own_) : Result<>(fail(watch_.error()));
  watches_own_ = watching.has_value();
  if (!watching) log::warning("model", "changes of files are seen late", {{"error", watching.error().text()}});
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Watcher::~Watcher() {
  thread_.request_stop();
  if (watch_) watch_->wake();
}

void Watcher::configure(StoreChoice choice) {
  {
    const std::lock_guard lock(mutex_);
    choice_ = std::move(choice);
    ++asked_;
  }
  wake();
}

void Watcher::wake() {
  if (watch_) watch_->wake();
}

bool Watcher::settle(Milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!watch_) return false;
  if (idle_ && served_ == asked_ && !watch_->pending()) return watches_own_;
  const auto ticket = ++asked_;
  watch_->wake();
  return served_changed_.wait_for(lock, patience, [&] { return served_ >= ticket; }) && watches_own_;
}

void Watcher::run(const std::stop_token& stop) {
  if (!watch_) return;
  std::uint64_t serving = 0;
  while (!stop.stop_requested()) {
    bool asked = false;
    {
      const std::lock_guard lock(mutex_);
      idle_ = false;
      asked = asked_ != served_;
      serving = asked_;
    }
    stores_changed_ = take_changes() || stores_changed_ || until(look_not_after_) == Milliseconds(0);
    if (stores_changed_ && (asked || until(look_not_before_) == Milliseconds(0))) look_at_stores(stop);
    const auto chores = sink_.chores();
    {
      const std::lock_guard lock(mutex_);
      served_ = serving;
      idle_ = !stores_changed_;
      served_changed_.notify_all();
      if (asked_ != served_) continue;
    }
    watch_->wait(std::min(chores, rest()), stop);
  }
}

Milliseconds Watcher::rest() const {
  if (stores_changed_) return until(look_not_before_);
  return look_not_after_ == MonotonicTime::max() ? kForever : until(look_not_after_);
}

bool Watcher::take_changes() {
  auto changes = watch_->read();
  if (!changes || changes->lost) {
    sink_.own_unknown();
    return true;
  }
  std::set<std::string> own;
  bool stores = false;
  for (auto& change : changes->changes) {
    if (change.folder == own_)
      own.insert(std::move(change.name));
    else
      stores = true;
  }
  if (!own.empty()) sink_.own(own);
  return stores;
}

void Watcher::look_at_stores(const std::stop_token& stop) {
  const auto begun = std::chrono::steady_clock::now();
  StoreChoice choice;
  {
    const std::lock_guard lock(mutex_);
    choice = choice_;
  }
  stores_changed_ = false;
  stores_unwatched_ = false;
  std::vector<std::filesystem::path> watched = {own_};
  const auto watch = [&](const std::filesystem::path& folder) {
    watched.push_back(folder);
    const auto added = watch_->add(folder);
    if (!added && added.error().code == Code::overloaded && !stores_unwatched_) {
      stores_unwatched_ = true;
      log::warning("model", "changes of other programs' models are seen late", {{"error", added.error().text()}});
    }
  };
  auto sight = reader_.look(choice, sink_.ours(), watch, stop);
  if (!sight) return;
  watch_->keep_only(watched);
  sink_.found(std::move(*sight));
  const auto now = std::chrono::steady_clock::now();
  look_not_before_ = now + std::max<std::chrono::steady_clock::duration>(kBetweenLooks, kRestPerLook * (now - begun));
  look_not_after_ = stores_unwatched_ ? now + kUnwatchedLook : MonotonicTime::max();
}

}  // namespace puna::model
