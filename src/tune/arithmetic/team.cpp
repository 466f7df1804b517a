#include "tune/arithmetic/team.h"

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
  ++rounds_;
  rounds_.notify_all();
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
  for (;;) {
    std::uint64_t claim = claim_.load(std::memory_order_acquire);
    const auto task = static_cast<std::uint32_t>(claim);
    const std::uint32_t tasks = tasks_.load(std::memory_order_acquire);
    const Call call = call_.load(std::memory_order_acquire);
    const void* const context = context_.load(std::memory_order_acquire);
    if (task >= tasks) return;
    // Whoever read anything of a later round finds its claim here, or a closed one, and begins again.
    if (!claim_.compare_exchange_weak(claim, claim + 1, std::memory_order_acq_rel)) continue;
    call(context, task, thread);
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == tasks && thread != 0) done_.notify_one();
  }
}

void Team::run(std::size_t tasks, Call call, const void* context) {
  if (threads_.empty() || tasks < 2) {
    for (std::size_t task = 0; task < tasks; ++task) call(context, task, 0);
    return;
  }
  const std::uint64_t round = (claim_.load(std::memory_order_relaxed) >> 32U) + 1;
  claim_.store(round << 32U | kClosed, std::memory_order_relaxed);
  const auto count = static_cast<std::uint32_t>(tasks);
  call_.store(call, std::memory_order_release);
  context_.store(context, std::memory_order_release);
  tasks_.store(count, std::memory_order_release);
  done_.store(0, std::memory_order_relaxed);
  claim_.store(round << 32U, std::memory_order_release);
  rounds_.fetch_add(1, std::memory_order_release);
  rounds_.notify_all();
  take_tasks(0);
  // What is left has been begun by others.
  for (int spin = 0; spin < kSpins && done_.load(std::memory_order_acquire) != count; ++spin) pause();
  for (auto done = done_.load(std::memory_order_acquire); done != count; done = done_.load(std::memory_order_acquire)) done_.wait(done);
}

void Team::serve(std::size_t thread) {
  for (std::uint32_t seen = 0;;) {
    for (int spin = 0; spin < kSpins && rounds_.load(std::memory_order_acquire) == seen; ++spin) pause();
    rounds_.wait(seen, std::memory_order_acquire);
    if (leaving_) return;
    seen = rounds_.load(std::memory_order_acquire);
    take_tasks(thread);
  }
}

}  // namespace puna::tune
