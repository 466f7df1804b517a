#include "hub/transfer/rate_gate.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "net/retry.h"

namespace puna::hub::transfer {
namespace {

constexpr std::int64_t kFewRemaining = 20;
constexpr Milliseconds kLongestObeyed = std::chrono::minutes(10);  // a wait beyond is asked about again then

std::optional<std::int64_t> number(std::string_view text) {
  text = trim(text);
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out < 0) return std::nullopt;
  return out;
}

}  // namespace

std::optional<RateLimit> parse_rate_limit(const net::Headers& headers) {
  std::optional<std::int64_t> remaining;
  std::optional<std::int64_t> reset;
  if (const auto field = headers.get("RateLimit")) {
    const bool old_form = field->find("remaining=") != std::string_view::npos;
    for (const auto parameter : split(*field, old_form ? ',' : ';')) {
      const auto equals = parameter.find('=');
      if (equals == std::string_view::npos) continue;
      const auto name = trim(parameter.substr(0, equals));
      const auto value = number(parameter.substr(equals + 1));
      if (name == "r" || name == "remaining") remaining = value;
      if (name == "t" || name == "reset") reset = value;
    }
  } else {
    if (const auto text = headers.get("RateLimit-Remaining")) remaining = number(*text);
    if (const auto text = headers.get("RateLimit-Reset")) reset = number(*text);
  }
  if (!remaining || !reset) return std::nullopt;
  return RateLimit{.remaining = *remaining, .reset = Seconds(std::min<std::int64_t>(*reset, 86400))};
}

Milliseconds RateGate::closed_for(const std::string& host, MonotonicTime now) const {
  const std::lock_guard lock(mutex_);
  const auto found = hosts_.find(host);
  if (found == hosts_.end() || found->second.closed_until <= now) return Milliseconds(0);
  return std::chrono::ceil<Milliseconds>(found->second.closed_until - now);
}

Milliseconds RateGate::enter(const std::string& host, MonotonicTime now) {
  if (const auto wait = closed_for(host, now); wait > Milliseconds(0)) return wait;
  const std::lock_guard lock(mutex_);
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return Milliseconds(0);
  if (now < found->second.spacing_until)
    found->second.closed_until = now + found->second.spacing;
  else
    hosts_.erase(found);
  return Milliseconds(0);
}

void RateGate::learn(const std::string& host, const net::Headers& headers, MonotonicTime now) {
  const auto limit = parse_rate_limit(headers);
  if (!limit) return;
  const std::lock_guard lock(mutex_);
  if (limit->remaining >= kFewRemaining && !hosts_.contains(host)) return;
  auto& known = hosts_[host];
  const auto reset = std::min<Milliseconds>(limit->reset, kLongestObeyed);
  if (limit->remaining == 0) known.closed_until = std::max(known.closed_until, now + reset);
  known.spacing = limit->remaining >= kFewRemaining ? Milliseconds(0) : reset / (limit->remaining + 1);
  known.spacing_until = now + reset;
}

Milliseconds RateGate::refused(const std::string& host, const net::Headers& headers, Milliseconds otherwise, MonotonicTime now,
                               WallTime wall) {
  Milliseconds wait = otherwise;
  const auto limit = parse_rate_limit(headers);
  const auto retry_after = headers.get("Retry-After");
  if (const auto said = retry_after ? net::parse_retry_after(*retry_after, wall) : std::nullopt)
    wait = *said;
  else if (limit && limit->remaining == 0)
    wait = limit->reset + Seconds(1);  // the reset is rounded down
  wait = std::clamp(wait, Milliseconds(0), kLongestObeyed);
  const std::lock_guard lock(mutex_);
  auto& known = hosts_[host];
  known.closed_until = std::max(known.closed_until, now + wait);
  return wait;
}

}  // namespace puna::hub::transfer
