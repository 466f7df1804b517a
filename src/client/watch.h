// The daemon's event stream, taken up again when it breaks.
#pragma once

#include "client/transport.h"
#include "net/retry.h"
#include "wire/system.h"

namespace puna::client {

class Watch {
 public:
  explicit Watch(Transport& transport) : transport_(transport) {}

  // The next event. First, and whenever events may have been missed, nullopt: whoever keeps a picture of the daemon's state reads that
  // state then, and knows that every later change arrives here. Fails when the daemon stays away.
  [[nodiscard]] net::Task<Result<std::optional<wire::EventView>>> next();

 private:
  net::Task<Result<>> connect();

  Transport& transport_;
  std::optional<EventStream> stream_;
  net::RetryPolicy retry_{.attempts = 6, .base = Milliseconds(200), .cap = Milliseconds(5'000)};
};

}  // namespace puna::client
