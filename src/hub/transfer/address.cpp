#include "hub/transfer/address.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace puna::hub::transfer {
namespace {

constexpr Seconds kRenewedBefore{30};  // the end of a signature
constexpr int kMostRenewals = 4;       // without a byte between
constexpr Milliseconds kBetweenRenewals{1000};
constexpr int kFailuresBeforeMirror = 2;

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out < 0) return std::nullopt;
  return out;
}

// "20260131T120000Z"
std::optional<WallTime> parse_compact_time(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t length) { return std::string(text.substr(at, length)); };
  return parse_time(part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(9, 2) + ":" + part(11, 2) + ":" + part(13, 2) + ".000Z");
}

}  // namespace

std::optional<WallTime> end_of_signature(const net::Url& url) {
  if (!url.query) return std::nullopt;
  std::optional<WallTime> signed_at;
  std::optional<std::int64_t> lasts;
  for (const auto& [name, value] : net::Query::parse(*url.query)) {
    const auto key = lower_ascii(name);
    if (key == "expires")
      if (const auto seconds = number(value)) return std::chrono::system_clock::from_time_t(*seconds);
    if (key == "x-amz-date" || key == "x-goog-date") signed_at = parse_compact_time(value);
    if (key == "x-amz-expires" || key == "x-goog-expires") lasts = number(value);
    if (key == "se")
      if (const auto time = parse_time(value.size() == 20 ? value.substr(0, 19) + ".000Z" : value)) return time;
  }
  if (!signed_at || !lasts) return std::nullopt;
  return *signed_at + Seconds(std::min<std::int64_t>(*lasts, 10 * 365 * 86400));
}

Address::Address(net::Io& io, Locate locate) : changed_(io), locate_(std::move(locate)) {}

bool Address::ends_soon() const {
  return ends_ && std::chrono::system_clock::now() + kRenewedBefore >= *ends_;
}

std::string Address::host() const {
  if (direct_ && !ends_soon()) return direct_->authority();
  return asked_ ? asked_->url.authority() : "";
}

net::Task<Result<>> Address::locate() {
  locating_ = true;
  const auto since = std::chrono::steady_clock::now() - located_at_;
  Result<> slept;
  if (why_ != Why::first && ++relocations_ > 1 && since < kBetweenRenewals)
    slept = co_await net::sleep_for(std::chrono::ceil<Milliseconds>(kBetweenRenewals - since));
  Result<Location> found = slept ? co_await locate_(why_) : fail(slept.error());
  locating_ = false;
  located_at_ = std::chrono::steady_clock::now();
  if (why_ == Why::mirror && before_) {
    no_mirror_ = !found || found->url == before_->url;
    if (!found && found.error().code != Code::cancelled) found = *before_;
  }
  if (found) {
    asked_ = std::move(*found);
    ends_ = end_of_signature(asked_->url);
    // A clock that is wrong must not make every URL end at once.
    if (ends_soon()) ends_.reset();
  }
  changed_.notify();
  if (!found) co_return fail(std::move(found).error());
  co_return Result<>();
}

net::Task<Result<Address::Target>> Address::next() {
  while (locating_) {
    const auto seen = changed_.epoch();
    PUNA_CO_CHECK(co_await changed_.wait(seen, kForever));
  }
  if (ends_soon()) {
    if (direct_)
      direct_.reset(), ends_.reset();
    else
      renew(Why::expired);
    settled_ = false;
    ++generation_;
  }
  if (!asked_) PUNA_CO_CHECK(co_await locate());
  if (!direct_) co_return Target{.url = asked_->url, .headers = asked_->headers, .generation = generation_};
  Target out{.url = *direct_, .headers = {}, .generation = generation_};
  if (direct_->same_origin(asked_->url)) out.headers = asked_->headers;
  co_return out;
}

void Address::answered(const Target& target, const net::Url& final_url) {
  proven_ = true;
  if (target.generation != generation_) return;
  settled_ = true;
  if (!asked_ || final_url == asked_->url || direct_) return;
  direct_ = final_url;
  ends_ = end_of_signature(*direct_);
  if (ends_soon()) ends_.reset();
}

void Address::renew(Why why) {
  if (asked_) before_ = asked_;
  asked_.reset();
  direct_.reset();
  ends_.reset();
  why_ = why;
}

bool Address::refused(const Target& target) {
  if (target.generation != generation_) return true;
  if (!proven_ || ++renewals_ > kMostRenewals) return false;
  ++generation_;
  settled_ = false;
  // First ask anew where it redirects to; what was located may have ended itself.
  if (direct_)
    direct_.reset(), ends_.reset();
  else
    renew(Why::expired);
  return true;
}

void Address::failing(const Target& target, int failures) {
  if (target.generation != generation_ || failures < kFailuresBeforeMirror) return;
  ++generation_;
  settled_ = false;
  if (direct_) {
    direct_.reset(), ends_.reset();
    return;
  }
  if (!no_mirror_) renew(Why::mirror);
}

}  // namespace puna::hub::transfer
