// What a download decides about the answers and endings of its connections.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/settings_registry.h"
#include "hub/transfer/download.h"

namespace puna::hub::transfer {
namespace {

using Kind = Carrier::End::Kind;

constexpr Milliseconds kLongestObeyed = std::chrono::minutes(10);  // windows of rate limits are shorter
constexpr int kMostFruitless = 20;                                 // connections in a row that ended without bytes and without a failure
constexpr int kMostStrikes = 2;                                    // wrong ranges in a row, before none are asked for any more
constexpr Milliseconds kMeasured{300};                             // a speed that is younger says little
constexpr std::uint64_t kLeastSplit = 256 << 10;                   // that is worth a connection of its own

net::RetryPolicy retry_policy(const Settings& settings) {
  return {.attempts = static_cast<int>(settings.get(setting::kRetryAttempts)),
          .base = settings.get(setting::kRetryBase),
          .factor = settings.get(setting::kRetryFactor),
          .cap = settings.get(setting::kRetryCap),
          .jitter = settings.get(setting::kRetryJitter),
          .longest_retry_after = kLongestObeyed};
}

}  // namespace

bool Download::ready(MonotonicTime now) const {
  if (!takes_part() || want_anew_ || now < patience_.not_before()) return false;
  if (repairing_ ? differed_ : map_.complete()) return false;
  // One answer tells where the file is, how large, and whether in parts.
  const bool known = address_.settled() && map_.size() && ranged_;
  return known || carriers_.empty();
}

bool Download::begin_carrier(std::uint64_t longest, double worth_splitting) {
  const auto now = std::chrono::steady_clock::now();
  std::optional<PieceMap::Stretch> stretch;
  if (!ranged_) {
    stretch = map_.take_all();
  } else if (stretch = map_.take(longest); !stretch) {
    // The end of the slowest is for whoever is idle.
    const Carrier* slowest = nullptr;
    double longest_time = worth_splitting;
    for (const auto& carrier : carriers_) {
      if (carrier->stopped() || now - carrier->begun() < kMeasured) continue;
      const double time = static_cast<double>(left_to_bring(*carrier)) / std::max(carrier->speed, 1000.0);
      if (time <= longest_time) continue;
      longest_time = time;
      slowest = carrier.get();
    }
    if (slowest) stretch = map_.split(slowest->id(), slowest->at(), kLeastSplit);
  }
  if (!stretch) return false;
  auto carrier = std::make_shared<Carrier>(*this, *stretch, ranged_, patience_.wave());
  carriers_.push_back(carrier);
  try {
    carrier->start();
  } catch (...) {
    carriers_.pop_back();
    throw;
  }
  return true;
}

std::uint64_t Download::left_to_bring(const Carrier& carrier) const {
  const auto end = map_.end_of(carrier.id());
  return end > carrier.at() ? end - carrier.at() : 0;
}

Question Download::question(Span span, bool ranged) const {
  FileVersion version = journal_.version;
  version.total = map_.size();
  return {.span = span, .ranged = ranged, .version = std::move(version), .bound = !wanted_.digest};
}

std::optional<std::string> Download::binding() const {
  if (wanted_.digest || map_.present().empty()) return std::nullopt;
  return journal_.version.range_validator();
}

Result<> Download::begins_right(std::string_view beginning, std::string_view content_type) {
  if (auto honest = refuse_impostor(shown(), beginning, content_type); !honest) return fail(std::move(honest).error().within(shown()));
  if (const auto subscriber = asker())
    if (auto right = subscriber->begins_right(beginning, content_type); !right) return fail(std::move(right).error().within(shown()));
  return {};
}

net::Task<Result<>> Download::learn(FileVersion version, bool ranged) {
  if (!journal_.version.etag && !journal_.version.last_modified && (version.etag || version.last_modified)) {
    journal_.version.etag = version.etag;
    journal_.version.last_modified = version.last_modified;
    version_news_ = !wanted_.digest;
  }
  if (ranged && !wanted_.digest && !journal_.version.range_validator()) ranged_ = false;  // nothing would tie the parts together
  if (version.total && !map_.size()) {
    if (wanted_.size && wanted_.size->count != *version.total) co_return fail(changed_upstream(version).error);
    PUNA_CO_CHECK(co_await settle_size(*version.total));
    shared_.call_dispatcher();
  }
  co_return Result<>();
}

Carrier::End Download::changed_upstream(const FileVersion& version) {
  if (wanted_.digest || wanted_.size)
    return {.kind = Kind::passing,
            .error = {Code::upstream_failed,
                      fmt::format("{}: the server has {} bytes instead of {}: it is another file than the one wanted", shown(),
                                  version.total ? fmt::to_string(*version.total) : "other", map_.size().value_or(0))}};
  want_anew_ = true;
  changed_.notify();
  return {.kind = Kind::again};
}

Carrier::End Download::misplaced() {
  if (++strikes_ >= kMostStrikes) {
    if (!ranged_)
      return {.kind = Kind::fatal,
              .error = {Code::upstream_failed, fmt::format("{}: a part came although the whole was asked for", shown())}};
    log::info("hub", "the server's ranges cannot be used: the file comes over one connection", {{"file", shown()}});
    ranged_ = false;
    strikes_ = 0;
  }
  return {.kind = Kind::passing, .error = {Code::upstream_failed, fmt::format("{}: another part came than the one asked for", shown())}};
}

Carrier::End Download::ranges_ignored(Span asked) {
  // An answer that begins where it should is of use, whatever it was meant for; and the first one tells what the server can do.
  const bool first_news = map_.present().empty() && carriers_.size() == 1;
  if (asked.from == 0 && first_news) {
    ranged_ = false;
    map_.claim_all(carriers_.front()->id());
    return {};
  }
  if (asked.from == 0 && map_.size()) return {};
  if (++strikes_ >= kMostStrikes) {
    log::info("hub", "the server sends no parts: the file comes over one connection", {{"file", shown()}});
    ranged_ = false;
    strikes_ = 0;
  }
  return {.kind = Kind::passing,
          .error = {Code::upstream_failed, fmt::format("{}: the whole file came although a part was asked for", shown())}};
}

void Download::refused_by(const std::string& host, const net::Headers& headers, Error& error) {
  const auto now = std::chrono::steady_clock::now();
  const auto policy = retry_policy(*shared_.settings.snapshot());
  const auto otherwise = policy.delay(patience_.failures() + 1, 1);
  const auto wait = shared_.gate.refused(host, headers, otherwise, now, std::chrono::system_clock::now());
  error.retry_after = wait;
  shared_.was_refused(host);
}

net::Task<Result<>> Download::write(std::uint64_t at, std::string_view bytes) {
  const Span span{at, at + bytes.size()};
  const bool news = !map_.present().contains(span);
  if (news) {
    const auto mode = repairing_ ? WriteQueue::Mode::replace : WriteQueue::Mode::write;
    PUNA_CO_TRY(const bool replaced, co_await writes_.write(file_, at, bytes, mode));
    if (replaced) {
      log::warning("hub", "a damaged part of a file was repaired", {{"file", shown()}, {"from", span.from}, {"to", span.to}});
      differed_ = true;
      changed_.notify();
    }
    patience_.progressed();
    address_.progressed();
    fruitless_ = 0;
  }
  map_.arrived(span);
  written_.notify();
  if (map_.complete()) changed_.notify();
  co_return Result<>();
}

void Download::carrier_ended(Carrier& carrier, Carrier::End end) {
  std::erase_if(carriers_, [&](const auto& other) { return other.get() == &carrier; });
  map_.give_back(carrier.id());
  shared_.carrier_ended(carrier);
  if (end.kind == Kind::again && !carrier.stopped() && ++fruitless_ > kMostFruitless)
    end = {.kind = Kind::passing, .error = {Code::unavailable, fmt::format("{}: asked again and again, and nothing comes", shown())}};
  if (end.kind == Kind::fatal) {
    fail_with(std::move(end.error));
  } else if (end.kind == Kind::passing) {
    const auto policy = retry_policy(*shared_.settings.snapshot());
    const double unit = std::uniform_real_distribution<double>(0, 1)(dice_);
    const auto now = std::chrono::steady_clock::now();
    const auto verdict = patience_.failed(carrier.wave(), policy, end.error.retry_after, unit, now);
    // Without validators and digests the next answer might be of another file.
    if (!wanted_.digest && !journal_.version.range_validator() && map_.present().total() > 0) want_anew_ = true;
    if (verdict.give_up && policy.attempts > 1 && patience_.failures() >= policy.attempts)
      fail_with(std::move(end.error).within(fmt::format("giving up after {} tries", patience_.failures())));
    else if (verdict.give_up)
      fail_with(std::move(end.error));
    else if (verdict.counted) {
      note_ = fmt::format("tried again in {} after: {}", format_duration(verdict.delay), end.error.text());
      note_until_ = patience_.not_before() + Seconds(1);
      log::warning("hub", "a transfer was interrupted and is tried again",
                   {{"file", shown()},
                    {"error", end.error.text()},
                    {"failures", patience_.failures()},
                    {"attempts", policy.attempts},
                    {"delay_ms", verdict.delay.count()}});
    }
  }
  changed_.notify();
  shared_.call_dispatcher();
}

}  // namespace puna::hub::transfer
