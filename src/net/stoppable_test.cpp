#include "net/stoppable.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

namespace puna::net {
namespace {

// Returns once a stop is requested: what it was told.
bool stopped_within(const std::stop_token& stop, Seconds limit) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  return !changed.wait_for(lock, stop, limit, [] { return false; }) && stop.stop_requested();
}

TEST(Stoppable, gives_back_what_the_function_returns) {
  Io io(1);
  EXPECT_EQ(run_blocking(io, on_pool_until_stopped(io, [](const std::stop_token&) { return 7; })), 7);
}

TEST(Stoppable, a_cancelled_caller_stops_the_function_and_sees_its_end) {
  Io io(1);
  Notifier begun(io);
  bool stopped = false;
  const auto body = [&]() -> Task<void> {
    stopped = co_await on_pool_until_stopped(io, [&](const std::stop_token& stop) {
      begun.notify();
      return stopped_within(stop, Seconds(30));
    });
  };
  const auto drive = [&]() -> Task<void> {
    const auto before = begun.epoch();
    auto running = spawn(io, "long work", body());
    EXPECT_TRUE(co_await begun.wait(before, Seconds(30)));
    running.cancel();
    co_await running.join();
  };
  run_blocking(io, drive());
  EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace puna::net
