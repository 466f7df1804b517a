// Work on the pool that a vanished client ends.
#pragma once

#include <stop_token>
#include <utility>

#include "net/io.h"

namespace puna::net {

// As on_pool(), for a function that takes long: cancelling the coroutine requests the stop that the function was given, and the wait ends
// when the function returns.
template <class F>
Task<std::invoke_result_t<F, const std::stop_token&>> on_pool_until_stopped(Io& io, F function) {
  std::stop_source stop;
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) stop.request_stop();
  using T = std::invoke_result_t<F, const std::stop_token&>;
  detail::Outcome<T> outcome;
  co_await asio::async_initiate<const asio::deferred_t&, void()>(
      [&io, &function, &outcome, stop](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) slot.assign([stop](asio::cancellation_type) mutable { stop.request_stop(); });
        auto work = asio::make_work_guard(io.context());
        asio::post(io.pool(), [&function, &outcome, stop, handler = std::move(handler), work = std::move(work)]() mutable {
          try {
            outcome.value.emplace(function(stop.get_token()));
          } catch (...) {
            outcome.thrown = std::current_exception();
          }
          asio::post(work.get_executor(), std::move(handler));
        });
      },
      asio::deferred);
  co_return detail::unwrap<T>(std::move(outcome));
}

}  // namespace puna::net
