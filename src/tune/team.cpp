#include "tune/team.h"

namespace puna::tune {
namespace {

constexpr int kSpins = 2000;  // tens of microseconds: rounds follow each other closely, and sleeping costs as much

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Team::Team(std::size_t threads) : scratch_(threads == 0 ? 1 : threads) {
  for (std::size_t thread = 1; thread < scratch_.size(); ++thread) threads_.emplace_back([this, thread] { serve(thread); });
}

Team::~Team() {
  leaving_ = true;
  ++epoch_;
  epoch_.notify_all();
}

float* Team::scratch(std::size_t thread, Use use, std::size_t floats) {
  Floats& own = scratch_[thread][static_cast<std::size_t>(use)];
  if (own.size() < floats) {
    own = Floats();  // first, so that both need not exist at once
    own = Floats(floats);
  }
  return own.data();
}

void Team::take_tasks(std::size_t thread) {
  for (std::size_t task = next_.fetch_add(1, std::memory_order_relaxed); task < round_.tasks;
       task = next_.fetch_add(1, std::memory_order_relaxed))
    round_.call(round_.context, task, thread);
}

void Team::run(std::size_t tasks, Call call, const void* context) {
  if (threads_.empty() || tasks < 2) {
    for (std::size_t task = 0; task < tasks; ++task) call(context, task, 0);
    return;
  }
  round_ = {call, context, tasks};
  next_.store(0, std::memory_order_relaxed);
  busy_.store(threads_.size(), std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  take_tasks(0);
  for (int spin = 0; spin < kSpins && busy_.load(std::memory_order_acquire) != 0; ++spin) pause();
  for (auto left = busy_.load(std::memory_order_acquire); left != 0; left = busy_.load(std::memory_order_acquire)) busy_.wait(left);
}

void Team::serve(std::size_t thread) {
  for (std::uint64_t seen = 0;; ++seen) {
    for (int spin = 0; spin < kSpins && epoch_.load(std::memory_order_acquire) == seen; ++spin) pause();
    epoch_.wait(seen, std::memory_order_acquire);
    if (leaving_) return;
    take_tasks(thread);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace puna::tune
