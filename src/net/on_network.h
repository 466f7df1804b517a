// A task of the network thread, for a thread that may block.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>

#include "base/error.h"
#include "net/io.h"

namespace puna::net {
namespace detail {

template <class T>
struct Waiting {
  ~Waiting() { task.detach(); }  // it has ended, or went with its io_context

  Spawned task;      // network thread
  std::mutex mutex;  // guards result
  std::condition_variable_any ended;
  std::optional<Result<T>> result;
};

template <class T>
Task<void> run(std::shared_ptr<Waiting<T>> waiting, std::function<Task<Result<T>>()> make) {
  auto result = co_await make();
  const std::lock_guard lock(waiting->mutex);
  waiting->result.emplace(std::move(result));
  waiting->ended.notify_all();
}

}  // namespace detail

// Waits for the task that `make` makes on the network thread; its own deadlines bound the wait. Code::cancelled at once when `stop` is
// requested: the task is cancelled then and ends in its own time, so it may use only what outlives it. Never on the network thread.
template <class T>
[[nodiscard]] Result<T> on_network(Io& io, std::string_view name, std::function<Task<Result<T>>()> make, const std::stop_token& stop) {
  auto waiting = std::make_shared<detail::Waiting<T>>();
  asio::post(io.context(), [waiting, &io, name = std::string(name), make = std::move(make)]() mutable {
    waiting->task = spawn(io, name, detail::run<T>(waiting, std::move(make)));
  });
  std::unique_lock lock(waiting->mutex);
  if (waiting->ended.wait(lock, stop, [&] { return waiting->result.has_value(); })) return std::move(*waiting->result);
  lock.unlock();
  asio::post(io.context(), [waiting] { waiting->task.cancel(); });
  return fail(cancelled_error());
}

}  // namespace puna::net
