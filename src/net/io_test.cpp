#include "net/io.h"

#include <gtest/gtest.h>

#include <thread>

namespace puna::net {
namespace {

using namespace std::chrono_literals;

Task<Result<int>> answer_after(Milliseconds wait, int value) {
  PUNA_CO_CHECK(co_await sleep_for(wait));
  co_return value;
}

TEST(Io, runs_blocking_work_on_the_pool_and_continues_on_the_network_thread) {
  Io io(2);
  const auto network = std::this_thread::get_id();
  const auto check = [&]() -> Task<bool> {
    const auto pool = co_await on_pool(io, [] { return std::this_thread::get_id(); });
    co_return pool != network&& std::this_thread::get_id() == network;
  };
  EXPECT_TRUE(run_blocking(io, check()));
}

TEST(Io, brings_an_exception_of_the_pool_back_to_who_asked) {
  Io io(1);
  EXPECT_THROW(run_blocking(io, on_pool(io, []() -> int { throw std::runtime_error("lost"); })), std::runtime_error);
}

TEST(Io, runs_until_another_thread_stops_it) {
  Io io(1);
  std::jthread stopper([&] { io.stop(); });
  io.run();
}

// ledger: T9
TEST(Within, ends_a_task_that_takes_too_long_and_says_what_took_how_long) {
  Io io(1);
  const auto late = run_blocking(io, within(5ms, "the answer", answer_after(1h, 1)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::deadline_exceeded);
  EXPECT_EQ(late.error().message, "the answer took longer than 5 ms");
  EXPECT_EQ(run_blocking(io, within(1h, "the answer", answer_after(0ms, 7))), 7);
  EXPECT_EQ(run_blocking(io, within(kForever, "the answer", answer_after(0ms, 7))), 7);
}

TEST(Within, hands_the_callers_cancellation_to_the_task) {
  Io io(1);
  std::optional<Result<int>> inner;
  const auto body = [&]() -> Task<void> { inner = co_await within(1h, "the answer", answer_after(1h, 1)); };
  const auto drive = [&]() -> Task<void> {
    auto running = spawn(io, "waiting", body());
    co_await sleep_for(1ms);
    running.cancel();
    co_await running.join();
  };
  run_blocking(io, drive());
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->error().code, Code::cancelled);
}

TEST(Spawned, cancels_its_coroutine_when_dropped_and_every_later_wait_ends_at_once) {
  Io io(1);
  int ended_waits = 0;
  const auto body = [&]() -> Task<void> {
    for (int i = 0; i < 3; ++i)
      if (auto waited = co_await sleep_for(1h); !waited && waited.error().code == Code::cancelled) ++ended_waits;
  };
  const auto drive = [&]() -> Task<void> {
    {
      auto running = spawn(io, "waiting", body());
      co_await sleep_for(1ms);
    }
    while (ended_waits < 3) co_await sleep_for(1ms);
  };
  run_blocking(io, drive());
  EXPECT_EQ(ended_waits, 3);
}

TEST(Notifier, wakes_every_waiter_from_another_thread) {
  Io io(1);
  Notifier changed(io);
  int woken = 0;
  const auto body = [&](std::uint64_t seen) -> Task<void> {
    if (co_await changed.wait(seen, 1min)) ++woken;
  };
  const auto drive = [&]() -> Task<void> {
    auto first = spawn(io, "first", body(changed.epoch()));
    auto second = spawn(io, "second", body(changed.epoch()));
    co_await on_pool(io, [&] { changed.notify(); });
    co_await first.join();
    co_await second.join();
  };
  run_blocking(io, drive());
  EXPECT_EQ(woken, 2);
}

TEST(Notifier, does_not_lose_a_notice_given_before_the_wait) {
  Io io(1);
  Notifier changed(io);
  const auto seen = changed.epoch();
  changed.notify();
  EXPECT_TRUE(run_blocking(io, changed.wait(seen, 1min)));
  EXPECT_EQ(run_blocking(io, changed.wait(changed.epoch(), 2ms)).error().code, Code::deadline_exceeded);
}

TEST(Notifier, ends_its_waiters_when_it_goes) {
  Io io(1);
  auto changed = std::make_unique<Notifier>(io);
  std::optional<Result<>> ended;
  const auto drive = [&]() -> Task<void> {
    const auto body = [&]() -> Task<void> { ended = co_await changed->wait(changed->epoch(), kForever); };
    auto running = spawn(io, "waiting", body());
    co_await sleep_for(1ms);
    changed.reset();
    co_await running.join();
  };
  run_blocking(io, drive());
  EXPECT_EQ(ended->error().code, Code::cancelled);
}

TEST(Notifier, forgets_a_waiter_that_is_destroyed_where_it_waits) {
  auto io = std::make_unique<Io>(1);
  const auto changed = std::make_shared<Notifier>(*io);
  const auto body = [](std::shared_ptr<Notifier> held) -> Task<void> { co_await held->wait(held->epoch(), kForever); };
  const auto drive = [&]() -> Task<void> {
    spawn(*io, "waiting", body(changed)).detach();
    co_await sleep_for(1ms);
  };
  run_blocking(*io, drive());
  io.reset();                         // destroys the waiting coroutine
  EXPECT_EQ(changed.use_count(), 1);  // which was parked
}  // the notifier goes, and must not touch the timer of the one that is gone

TEST(Watchdog, fires_at_the_last_deadline_it_was_given) {
  Io io(1);
  int fired = 0;
  Wakeup wakeup(io.context().get_executor());
  Watchdog watchdog(io.context().get_executor(), [&] {
    ++fired;
    wakeup.wake();
  });
  const auto start = std::chrono::steady_clock::now();
  watchdog.set(start + 1ms);
  watchdog.set(start + 30ms);
  const auto wait = [&]() -> Task<void> {
    while (fired == 0) co_await wakeup.wait();
  };
  run_blocking(io, wait());
  EXPECT_GE(std::chrono::steady_clock::now(), start + 30ms);
  watchdog.set_after(1h);
  watchdog.set_after(1ms);  // earlier than armed
  fired = 0;
  run_blocking(io, wait());
}

}  // namespace
}  // namespace puna::net
