#include "access/limits.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace puna::access {
namespace {

constexpr std::size_t kMostClients = 8192;
constexpr double kMinute = 60'000;

Milliseconds time_for(double amount, std::int64_t per_minute) {
  return Milliseconds(static_cast<std::int64_t>(std::ceil(amount * kMinute / static_cast<double>(per_minute))));
}

Error too_fast(std::string_view what, std::int64_t limit, Milliseconds wait) {
  Error error(Code::overloaded, fmt::format("more than {} {} a minute; try again in {}", limit, what, format_duration(wait)));
  error.context.emplace_back("rate_limit_exceeded");
  error.retry_after = wait;
  return error;
}

}  // namespace

double Limits::Bucket::missing_at(MonotonicTime now, std::int64_t per_minute) const {
  const double elapsed = std::chrono::duration<double, std::milli>(now - since).count();
  return std::max(0.0, missing - elapsed * static_cast<double>(per_minute) / kMinute);
}

void Limits::Bucket::take(double amount, MonotonicTime now, std::int64_t per_minute) {
  missing = missing_at(now, per_minute) + amount;
  since = now;
}

Limits::Client& Limits::client(const std::string& id, const Rate& rate) {
  const auto now = clock_.monotonic();
  if (clients_.size() >= kMostClients && !clients_.contains(id))
    clients_.erase(std::ranges::min_element(clients_, {}, [](const auto& entry) { return entry.second.latest; }));
  auto& client = clients_[id];
  client.rate = rate;
  client.latest = now;
  return client;
}

Result<> Limits::take_request(const std::string& id, const Rate& rate) {
  if (rate.requests == 0 && rate.tokens == 0) return {};
  const auto now = clock_.monotonic();
  auto& buckets = client(id, rate);
  if (rate.tokens > 0) {
    const double over = buckets.tokens.missing_at(now, rate.tokens) - static_cast<double>(rate.tokens);
    if (over >= 0) return fail(too_fast("tokens", rate.tokens, time_for(over + 1, rate.tokens)));
  }
  if (rate.requests == 0) return {};
  const double over = buckets.requests.missing_at(now, rate.requests) + 1 - static_cast<double>(rate.requests);
  if (over > 0) return fail(too_fast("requests", rate.requests, time_for(over, rate.requests)));
  buckets.requests.take(1, now, rate.requests);
  return {};
}

void Limits::take_tokens(const std::string& id, std::int64_t tokens) {
  const auto found = clients_.find(id);
  if (found == clients_.end() || found->second.rate.tokens == 0) return;
  found->second.tokens.take(static_cast<double>(tokens), clock_.monotonic(), found->second.rate.tokens);
}

std::vector<std::pair<std::string, std::string>> Limits::headers(const std::string& id, const Rate& rate) const {
  std::vector<std::pair<std::string, std::string>> out;
  const auto now = clock_.monotonic();
  const auto found = clients_.find(id);
  const auto add = [&](std::string_view what, std::int64_t limit, const Bucket& bucket) {
    if (limit == 0) return;
    const double missing = bucket.missing_at(now, limit);
    const auto left = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(static_cast<double>(limit) - missing)));
    out.emplace_back(fmt::format("x-ratelimit-limit-{}", what), std::to_string(limit));
    out.emplace_back(fmt::format("x-ratelimit-remaining-{}", what), std::to_string(left));
    out.emplace_back(fmt::format("x-ratelimit-reset-{}", what), reset_text(time_for(missing, limit)));
  };
  add("requests", rate.requests, found == clients_.end() ? Bucket{} : found->second.requests);
  add("tokens", rate.tokens, found == clients_.end() ? Bucket{} : found->second.tokens);
  return out;
}

std::string reset_text(Milliseconds time) {
  if (time < std::chrono::seconds(1)) return fmt::format("{}ms", time.count());
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  return seconds < 60 ? fmt::format("{}s", seconds) : fmt::format("{}m{}s", seconds / 60, seconds % 60);
}

}  // namespace puna::access
