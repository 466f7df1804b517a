// The network thread: one io_context, a pool beside it for what blocks, and the verbs that coroutines need.
//
// A Task is a coroutine on the network thread. Cancelling it (dropping a Spawned, a vanished HTTP client, a deadline) makes every wait
// of this module end with Code::cancelled, and each later one end at once; nothing is thrown.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/units.h"

namespace puna::net {

namespace asio = boost::asio;
template <class T>
using Task = asio::awaitable<T>;

class Io {
 public:
  explicit Io(int pool_threads);
  ~Io();
  Io(const Io&) = delete;
  Io& operator=(const Io&) = delete;

  [[nodiscard]] asio::io_context& context() { return context_; }
  [[nodiscard]] asio::thread_pool& pool() { return pool_; }

  // Makes the calling thread the network thread until stop(), which may come first.
  void run() { context_.run(); }
  // From any thread, once.
  void stop() { context_.stop(); }

 private:
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::thread_pool pool_;  // after context_: its threads end first
};

// True once the calling coroutine was cancelled: `if (is_cancelled(co_await asio::this_coro::cancellation_state)) …`
[[nodiscard]] inline bool is_cancelled(const asio::cancellation_state& state) {
  return state.cancelled() != asio::cancellation_type::none;
}
[[nodiscard]] inline Error cancelled_error() {
  return {Code::cancelled, "the operation was cancelled"};
}

// A point in time `limit` from now; kForever (and whatever would overflow) is the end of time.
[[nodiscard]] std::chrono::steady_clock::time_point deadline_after(Milliseconds limit);

// Waits; fails only with Code::cancelled.
[[nodiscard]] Task<Result<>> sleep_for(Milliseconds duration);

// Lets coroutines wait for a change of state that other code makes:
//
//   auto seen = changed.epoch();
//   if (nothing_new()) co_await changed.wait(seen, limit);
//
// Network thread, except notify(), which any thread may call. Must not outlive its Io.
class Notifier {
 public:
  explicit Notifier(Io& io);
  ~Notifier();  // ends every wait with Code::cancelled
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void notify();
  [[nodiscard]] std::uint64_t epoch() const;
  // Returns once notify() was called after the epoch `seen` was taken; Code::deadline_exceeded after `limit`, Code::cancelled.
  [[nodiscard]] Task<Result<>> wait(std::uint64_t seen, Milliseconds limit);

 private:
  struct State;
  class Place;
  std::shared_ptr<State> state_;  // shared with wakes under way
};

// Parks a coroutine until wake(). A wake() that finds nobody is forgotten: test the condition, then wait, in a loop. Network thread.
class Wakeup {
 public:
  explicit Wakeup(const asio::any_io_executor& executor) : timer_(executor, std::chrono::steady_clock::time_point::max()) {}
  [[nodiscard]] Task<void> wait();  // also returns when the coroutine is cancelled
  void wake() { timer_.cancel(); }

 private:
  asio::steady_timer timer_;
};

// Calls `expired` on the network thread when the deadline passes. Moving the deadline later costs no system call and no timer work, so
// it can be done for every piece of input.
class Watchdog {
 public:
  Watchdog(const asio::any_io_executor& executor, std::function<void()> expired);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void set(std::chrono::steady_clock::time_point deadline);
  void set_after(Milliseconds limit) { set(deadline_after(limit)); }
  void clear() { set(std::chrono::steady_clock::time_point::max()); }

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the timer's handler
};

namespace detail {

// What a coroutine left behind.
template <class T>
struct Outcome {
  std::exception_ptr thrown;
  std::optional<T> value;
};
template <>
struct Outcome<void> {
  std::exception_ptr thrown;
};

template <class T>
Task<Outcome<T>> outcome_of(Task<T> task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Outcome<T> out;
  try {
    if constexpr (std::is_void_v<T>)
      co_await std::move(task);
    else
      out.value.emplace(co_await std::move(task));
  } catch (...) {
    out.thrown = std::current_exception();
  }
  co_return out;
}

template <class T>
T unwrap(Outcome<T> outcome) {
  if (outcome.thrown) std::rethrow_exception(outcome.thrown);
  if constexpr (!std::is_void_v<T>) return std::move(*outcome.value);
}

std::string describe_exception(const std::exception_ptr& thrown);

}  // namespace detail

// Runs a function that blocks on a pool; the coroutine continues on the network thread. A function that has begun is not cancelled:
// give it a stop token of its own if it is long.
template <class F>
Task<std::invoke_result_t<F>> on_pool(Io& io, asio::thread_pool& pool, F function) {
  using T = std::invoke_result_t<F>;
  detail::Outcome<T> outcome;
  co_await asio::async_initiate<const asio::deferred_t&, void()>(
      [&io, &pool, &function, &outcome](auto handler) {
        auto work = asio::make_work_guard(io.context());
        asio::post(pool, [&function, &outcome, handler = std::move(handler), work = std::move(work)]() mutable {
          try {
            if constexpr (std::is_void_v<T>)
              function();
            else
              outcome.value.emplace(function());
          } catch (...) {
            outcome.thrown = std::current_exception();
          }
          asio::post(work.get_executor(), std::move(handler));
        });
      },
      asio::deferred);
  co_return detail::unwrap<T>(std::move(outcome));
}
template <class F>
Task<std::invoke_result_t<F>> on_pool(Io& io, F function) {
  return on_pool(io, io.pool(), std::move(function));
}

// Makes this thread the network thread until the task ends, before run() or after it; for the command line and tests.
template <class T>
T run_blocking(Io& io, Task<T> task) {
  std::optional<detail::Outcome<T>> outcome;
  asio::co_spawn(io.context(), detail::outcome_of(std::move(task)), [&outcome](const std::exception_ptr& thrown, detail::Outcome<T> ended) {
    if (thrown) ended.thrown = thrown;
    outcome.emplace(std::move(ended));
  });
  while (!outcome)
    if (io.context().run_one() == 0) io.context().restart();  // was stopped
  return detail::unwrap<T>(std::move(*outcome));
}

// The task's result, or Code::deadline_exceeded ("`what` took longer than 5 s") when `limit` passes first: the task is then cancelled
// and has ended when this returns. Cancelling the caller cancels the task.
template <class T>
Task<Result<T>> within(Milliseconds limit, std::string_view what, Task<Result<T>> task) {
  struct Race {
    asio::cancellation_signal cancel;
    bool expired = false;
    std::optional<detail::Outcome<Result<T>>> outcome;
  };
  auto race = std::make_shared<Race>();
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  auto executor = co_await asio::this_coro::executor;
  Watchdog watchdog(executor, [race = race.get()] {
    race->expired = true;
    race->cancel.emit(asio::cancellation_type::terminal);
  });
  watchdog.set_after(limit);
  co_await asio::async_initiate<const asio::deferred_t&, void()>(
      [&](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) slot.assign([race](asio::cancellation_type type) { race->cancel.emit(type); });
        asio::co_spawn(executor, detail::outcome_of(std::move(task)),
                       asio::bind_cancellation_slot(race->cancel.slot(),
                                                    [race, handler = std::move(handler)](const std::exception_ptr& thrown,
                                                                                         detail::Outcome<Result<T>> ended) mutable {
                                                      if (thrown) ended.thrown = thrown;
                                                      race->outcome.emplace(std::move(ended));
                                                      std::move(handler)();
                                                    }));
      },
      asio::deferred);
  auto result = detail::unwrap(std::move(*race->outcome));
  if (race->expired && !result && result.error().code == Code::cancelled)
    co_return fail(Code::deadline_exceeded, std::string(what) + " took longer than " + format_duration(limit));
  co_return result;
}

// A coroutine of its own on the network thread. Dropping the object cancels the coroutine, which ends in its own time.
class Spawned {
 public:
  Spawned() = default;
  Spawned(Spawned&& other) noexcept = default;
  Spawned& operator=(Spawned&& other) noexcept;
  ~Spawned() { cancel(); }

  void cancel();
  void detach() { state_.reset(); }
  [[nodiscard]] bool running() const;
  // Returns when the coroutine has ended, or when the caller is cancelled.
  [[nodiscard]] Task<void> join();

 private:
  friend Spawned spawn(Io& io, std::string_view name, Task<void> task);
  struct State;
  std::shared_ptr<State> state_;  // shared with the coroutine
};
// What the task throws, against the rules, is logged under `name`.
[[nodiscard]] Spawned spawn(Io& io, std::string_view name, Task<void> task);

}  // namespace puna::net
