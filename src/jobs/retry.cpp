#include "jobs/retry.h"

#include <algorithm>
#include <cmath>

namespace puna::jobs {

bool may_pass(Code code) {
  switch (code) {
    case Code::unavailable:
    case Code::deadline_exceeded:
    case Code::overloaded:
    case Code::upstream_failed:
      return true;
    case Code::invalid_argument:
    case Code::unsupported:
    case Code::not_found:
    case Code::already_exists:
    case Code::conflict:
    case Code::unauthenticated:
    case Code::permission_denied:
    case Code::too_large:
    case Code::cancelled:
    case Code::out_of_memory:
    case Code::disk_full:
    case Code::corrupt_data:
    case Code::internal:
      return false;
  }
  return false;
}

std::optional<Milliseconds> retry_delay(const RetryPolicy& policy, const Error& error, int failures, double dice) {
  if (!may_pass(error.code) || failures >= policy.attempts) return std::nullopt;
  const double bound = std::min(static_cast<double>(policy.cap.count()),
                                static_cast<double>(policy.base.count()) * std::pow(policy.factor, std::max(0, failures - 1)));
  const Milliseconds wait(static_cast<std::int64_t>(bound * dice));
  return error.retry_after ? std::max(wait, *error.retry_after) : wait;
}

}  // namespace puna::jobs
