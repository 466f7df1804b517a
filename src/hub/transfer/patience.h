// When a failed transfer is tried again, and when it is given up.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/units.h"
#include "net/retry.h"

namespace puna::hub::transfer {

// Connections that break together are one failure; whatever brings bytes forgets earlier ones. Pure.
class Patience {
 public:
  // What an attempt notes when it begins.
  [[nodiscard]] std::uint64_t wave() const { return wave_; }
  void progressed() { failures_ = 0; }

  struct Verdict {
    bool give_up = false;
    bool counted = false;   // false: belongs to a failure that was counted already
    Milliseconds delay{0};  // before anything is tried again
  };
  // An attempt of the given wave has failed. `unit` is a random number in [0, 1).
  Verdict failed(std::uint64_t wave, const net::RetryPolicy& policy, std::optional<Milliseconds> retry_after, double unit,
                 MonotonicTime now);
  [[nodiscard]] int failures() const { return failures_; }  // in a row
  [[nodiscard]] MonotonicTime not_before() const { return not_before_; }

 private:
  std::uint64_t wave_ = 0;
  int failures_ = 0;
  MonotonicTime not_before_{};
};

}  // namespace puna::hub::transfer
