// Threads that share the arithmetic of one training step.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "tune/floats.h"

namespace puna::tune {

// A fixed number of threads; the caller is one of them. Which thread does which task is left to chance, so tasks write to places of their
// own, and nothing that is computed depends on it. One caller at a time.
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
  struct Round {
    Call call = nullptr;
    const void* context = nullptr;
    std::size_t tasks = 0;
  };
  static constexpr std::size_t kUses = 3;

  void run(std::size_t tasks, Call call, const void* context);
  void take_tasks(std::size_t thread);
  void serve(std::size_t thread);

  std::vector<std::array<Floats, kUses>> scratch_;
  Round round_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> busy_{0};
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<bool> leaving_{false};
  std::vector<std::jthread> threads_;
};

}  // namespace puna::tune
