#include "net/io.h"

#include <algorithm>
#include <atomic>

#include "base/log.h"

namespace puna::net {

using TimePoint = std::chrono::steady_clock::time_point;

Io::Io(int pool_threads)
    : context_(1),  // one thread runs it: asio then skips most of its locking
      work_(asio::make_work_guard(context_)),
      pool_(static_cast<std::size_t>(std::max(pool_threads, 1))) {}

Io::~Io() {
  pool_.stop();
  pool_.join();
}

TimePoint deadline_after(Milliseconds limit) {
  const auto now = std::chrono::steady_clock::now();
  if (limit >= std::chrono::duration_cast<Milliseconds>(TimePoint::max() - now)) return TimePoint::max();
  return now + std::max(limit, Milliseconds(0));
}

Task<Result<>> sleep_for(Milliseconds duration) {
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  asio::steady_timer timer(co_await asio::this_coro::executor, deadline_after(duration));
  auto [error] = co_await timer.async_wait(asio::as_tuple(asio::deferred));
  if (error) co_return fail(cancelled_error());
  co_return Result<>();
}

struct Notifier::State {
  explicit State(asio::io_context& io_context) : context(io_context) {}

  asio::io_context& context;
  std::atomic<std::uint64_t> epoch = 0;
  std::atomic<bool> wake_posted = false;
  bool closed = false;
  std::vector<asio::steady_timer*> waiting;

  void wake_all() {
    for (auto* timer : waiting) timer->cancel();
  }
};

// A waiter's timer among those to wake. Leaves with the waiter's frame, which an ending io_context destroys where it waits.
class Notifier::Place {
 public:
  Place(State& state, asio::steady_timer& timer) : state_(state), timer_(timer) { state_.waiting.push_back(&timer_); }
  ~Place() { std::erase(state_.waiting, &timer_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  State& state_;
  asio::steady_timer& timer_;
};

Notifier::Notifier(Io& io) : state_(std::make_shared<State>(io.context())) {}

Notifier::~Notifier() {
  state_->closed = true;
  state_->wake_all();
}

void Notifier::notify() {
  state_->epoch.fetch_add(1, std::memory_order_acq_rel);
  if (state_->wake_posted.exchange(true)) return;
  asio::post(state_->context, [state = state_] {
    state->wake_posted = false;
    state->wake_all();
  });
}

std::uint64_t Notifier::epoch() const {
  return state_->epoch.load(std::memory_order_acquire);
}

Task<Result<>> Notifier::wait(std::uint64_t seen, Milliseconds limit) {
  auto state = state_;
  asio::steady_timer timer(state->context, deadline_after(limit));
  const auto due = timer.expiry();
  while (true) {
    if (state->closed || is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
    if (state->epoch.load(std::memory_order_acquire) != seen) co_return Result<>();
    if (due != TimePoint::max() && std::chrono::steady_clock::now() >= due)
      co_return fail(Code::deadline_exceeded, "nothing happened within " + format_duration(limit));
    const Place place(*state, timer);
    co_await timer.async_wait(asio::as_tuple(asio::deferred));
  }
}

Task<void> Wakeup::wait() {
  co_await timer_.async_wait(asio::as_tuple(asio::deferred));
}

// The timer is left alone while its expiry is not later than the deadline; when it fires too early it is set to the deadline of then.
struct Watchdog::State : std::enable_shared_from_this<Watchdog::State> {
  State(const asio::any_io_executor& executor, std::function<void()> callback) : timer(executor), expired(std::move(callback)) {}

  asio::steady_timer timer;
  std::function<void()> expired;
  TimePoint due = TimePoint::max();
  TimePoint armed = TimePoint::max();

  void arm() {
    armed = due;
    timer.expires_at(due);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->fired();
    });
  }

  void fired() {
    armed = TimePoint::max();
    if (!expired || due == TimePoint::max()) return;
    if (std::chrono::steady_clock::now() < due) return arm();
    due = TimePoint::max();
    expired();
  }
};

Watchdog::Watchdog(const asio::any_io_executor& executor, std::function<void()> expired)
    : state_(std::make_shared<State>(executor, std::move(expired))) {}

Watchdog::~Watchdog() {
  state_->expired = nullptr;
  state_->timer.cancel();
}

void Watchdog::set(TimePoint deadline) {
  state_->due = deadline;
  if (deadline < state_->armed) state_->arm();
}

struct Spawned::State {
  explicit State(const asio::any_io_executor& executor) : ended(executor) {}
  asio::cancellation_signal cancel;
  Wakeup ended;
  bool running = true;
};

Spawned& Spawned::operator=(Spawned&& other) noexcept {
  if (this != &other) {
    cancel();
    state_ = std::move(other.state_);
  }
  return *this;
}

void Spawned::cancel() {
  if (auto state = state_; state && state->running) state->cancel.emit(asio::cancellation_type::terminal);
}

bool Spawned::running() const {
  return state_ && state_->running;
}

Task<void> Spawned::join() {
  auto state = state_;
  while (state && state->running && !is_cancelled(co_await asio::this_coro::cancellation_state)) co_await state->ended.wait();
}

Spawned spawn(Io& io, std::string_view name, Task<void> task) {
  Spawned spawned;
  spawned.state_ = std::make_shared<Spawned::State>(io.context().get_executor());
  auto ended = [state = spawned.state_, name = std::string(name)](const std::exception_ptr& thrown, const detail::Outcome<void>& outcome) {
    state->running = false;
    state->ended.wake();
    if (const auto& fault = thrown ? thrown : outcome.thrown)
      log::error("net", "a background task failed",
                 {{"task", json::encode(name)}, {"error", json::encode(detail::describe_exception(fault))}});
  };
  asio::co_spawn(io.context(), detail::outcome_of(std::move(task)),
                 asio::bind_cancellation_slot(spawned.state_->cancel.slot(), std::move(ended)));
  return spawned;
}

namespace detail {

std::string describe_exception(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

}  // namespace detail

}  // namespace puna::net
