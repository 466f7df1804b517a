#include "hub/transfer/subscriber.h"

#include "hub/transfer/thrown.h"

namespace puna::hub::transfer {
namespace {

// What an asker's function throws must not leave its call counted: withdraw() would wait for ever.
template <class T, class F>
T answer_of(F function) {
  try {
    return function();
  } catch (...) {
    return fail(thrown_error());
  }
}

}  // namespace

Subscriber::Subscriber(const Wanted& wanted, int priority, std::function<void()> changed)
    : wanted_(wanted), priority_(priority), changed_(std::move(changed)) {
  glimpse_.file = {.shown = wanted.shown, .state = FileState::waiting, .done = {}, .total = wanted.size};
}

bool Subscriber::enter() {
  const std::lock_guard lock(mutex_);
  if (withdrawn_) return false;
  ++calls_;
  return true;
}

void Subscriber::leave() {
  const std::lock_guard lock(mutex_);
  --calls_;
  quiet_.notify_all();
}

Result<Location> Subscriber::locate(Why why) {
  if (!enter()) return fail(Code::cancelled, "the transfer was cancelled");
  auto out = answer_of<Result<Location>>([&] { return wanted_.locate(why, stop_.get_token()); });
  leave();
  return out;
}

Result<> Subscriber::begins_right(std::string_view beginning, std::string_view content_type) {
  if (!wanted_.begins_right) return {};
  if (!enter()) return fail(Code::cancelled, "the transfer was cancelled");
  auto out = answer_of<Result<>>([&] { return wanted_.begins_right(beginning, content_type); });
  leave();
  return out;
}

void Subscriber::withdraw() {
  {
    const std::lock_guard lock(mutex_);
    withdrawn_ = true;
  }
  stop_.request_stop();
  std::unique_lock lock(mutex_);
  quiet_.wait(lock, [&] { return calls_ == 0; });
}

bool Subscriber::withdrawn() const {
  const std::lock_guard lock(mutex_);
  return withdrawn_;
}

void Subscriber::show(Glimpse glimpse) {
  const std::lock_guard lock(mutex_);
  glimpse_ = std::move(glimpse);
}

Glimpse Subscriber::glimpse() const {
  const std::lock_guard lock(mutex_);
  return glimpse_;
}

void Subscriber::finish(Result<Arrived> outcome) {
  {
    const std::lock_guard lock(mutex_);
    if (outcome_) return;
    outcome_ = std::move(outcome);
  }
  changed_();
}

std::optional<Result<Arrived>> Subscriber::outcome() const {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

}  // namespace puna::hub::transfer
