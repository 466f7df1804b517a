// Exceptions on the way of a transfer: what a library throws (memory that is not there, mostly) ends the transfer with an error.
#pragma once

#include "base/error.h"
#include "net/io.h"

namespace puna::hub::transfer {

// The exception that is being handled, as an error. Only inside a catch block.
[[nodiscard]] Error thrown_error();

// The task's result; an error in place of what it throws.
template <class T>
net::Task<Result<T>> caught(net::Task<Result<T>> task) {
  try {
    co_return co_await std::move(task);
  } catch (...) {
    co_return fail(thrown_error());
  }
}

}  // namespace puna::hub::transfer
