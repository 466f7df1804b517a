#include "hub/transfer/patience.h"

#include <algorithm>

namespace puna::hub::transfer {

Patience::Verdict Patience::failed(std::uint64_t wave, const net::RetryPolicy& policy, std::optional<Milliseconds> retry_after, double unit,
                                   MonotonicTime now) {
  if (wave != wave_) return {};
  ++wave_;
  ++failures_;
  Verdict out{.give_up = failures_ >= policy.attempts, .counted = true, .delay = policy.delay(failures_, unit)};
  if (retry_after) {
    out.delay = std::max(out.delay, *retry_after);
    if (*retry_after > policy.longest_retry_after) out.give_up = true;
  }
  not_before_ = std::max(not_before_, now + out.delay);
  return out;
}

}  // namespace puna::hub::transfer
