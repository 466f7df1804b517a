// Threads that share the arithmetic of one training step.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "tune/arithmetic/floats.h"

namespace puna::tune {

// A fixed number of threads; the caller is one of them. Which thread does which task is left to chance, so tasks write to places of their
// own, and nothing that is computed depends on it. A thread that gets no processor delays nobody: the others do its tasks. One caller at a
// time.
class Team {
 public:
  explicit Team(std::size_t threads);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();

  [[nodiscard]] std::size_t size() const { return scratch_.size(); }

  // Calls work(task, thread) once for each task below `tasks` and returns when all are done. `work` must not throw and must not call the
  // team.
  template <class Work>
  void for_each(std::size_t tasks, const Work& work) {
    run(
        tasks, [](const void* context, std::size_t task, std::size_t thread) { (*static_cast<const Work*>(context))(task, thread); },
        &work);
  }
  // What a thread keeps memory for, so that one use does not overwrite another.
  enum class Use : std::uint8_t { left, right, work };
  // Memory of one thread's own (64-byte aligned), valid until it is asked for the same use again. Grows to the largest size asked for.
  [[nodiscard]] float* scratch(std::size_t thread, Use use, std::size_t floats);

 private:
  using Call = void (*)(const void*, std::size_t task, std::size_t thread);
  static constexpr std::size_t kUses = 3;
  static constexpr std::uint64_t kClosed = 0xffff'ffff;  // no task has this number

  void run(std::size_t tasks, Call call, const void* context);
  void take_tasks(std::size_t thread);
  void serve(std::size_t thread);

  std::vector<std::array<Floats, kUses>> scratch_;
  // What is to be done. Written only while nobody can claim a task of it.
  std::atomic<Call> call_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<std::uint32_t> tasks_{0};
  // The number of the round, and the next task of it: a task is claimed by counting both as one, so that nobody who slept through a round
  // claims a task of another.
  std::atomic<std::uint64_t> claim_{kClosed};
  std::atomic<std::uint32_t> done_{0};    // tasks
  std::atomic<std::uint32_t> rounds_{0};  // what threads wait for
  std::atomic<bool> leaving_{false};
  std::vector<std::jthread> threads_;
};

}  // namespace puna::tune
