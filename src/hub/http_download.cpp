#include "hub/http_download.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/log.h"
#include "base/settings_registry.h"
#include "hub/file_magic.h"
#include "net/retry.h"
#include "os/disk.h"

namespace puna::hub {
namespace {

constexpr int kMostNewBeginnings = 3;           // a file that changes more often during one download is given up
constexpr std::size_t kErrorBodyBytes = 16384;  // of an answer that explains a refusal

net::RetryPolicy retry_policy(const Settings& settings) {
  return {.attempts = static_cast<int>(settings.get(setting::kRetryAttempts)),
          .base = settings.get(setting::kRetryBase),
          .factor = settings.get(setting::kRetryFactor),
          .cap = settings.get(setting::kRetryCap),
          .jitter = settings.get(setting::kRetryJitter)};
}

net::Deadlines deadlines(const Settings& settings) {
  return {.connect = settings.get(setting::kConnectDeadline),
          .first_byte = settings.get(setting::kFirstByteDeadline),
          .idle = settings.get(setting::kIdleDeadline)};
}

bool may_pass(Code code) {
  return code == Code::unavailable || code == Code::deadline_exceeded;
}

bool same_file_system(const std::filesystem::path& a, const std::filesystem::path& b) {
  struct stat first{};
  struct stat second{};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev;
}

}  // namespace

HttpDownload::HttpDownload(const net::Url& url, const Fetch& fetch, PartFile& part)
    : url_(url), shown_(url.printable()), fetch_(fetch), part_(part) {}

Result<HttpDownload::Outcome> HttpDownload::run() {
  farthest_ = part_.received();
  for (int failures = 0;;) {
    const auto farthest_before = farthest_;
    const auto step = attempt();
    if (step && *step == Step::complete) return Outcome::complete;
    if (step && *step == Step::unchanged) return Outcome::unchanged;
    if (step) continue;

    const auto& [error, passing] = step.error();
    if (error.code == Code::cancelled) return fail(error);
    if (auto saved = part_.checkpoint(); !saved)
      log::warning("hub", "what came of a download could not be noted", {{"url", shown_}, {"error", saved.error().text()}});
    const auto policy = retry_policy(*fetch_.settings.snapshot());
    failures = farthest_ > farthest_before ? 1 : failures + 1;
    if (!passing) return fail(error);
    if (failures >= policy.attempts) return fail(Error(error).within(fmt::format("giving up after {} tries", failures)));
    if (error.retry_after && *error.retry_after > policy.longest_retry_after) return fail(error);
    const double unit = std::uniform_real_distribution<double>(0, 1)(dice_);
    PUNA_CHECK(wait_before_next_try(error, failures, policy.attempts, error.retry_after.value_or(policy.delay(failures, unit))));
  }
}

HttpDownload::Attempt<HttpDownload::Step> HttpDownload::attempt() {
  const RangeQuestion question = next_question();
  auto stream = BlockingStream::open(fetch_.io, fetch_.http, request_for(question), fetch_.stop);
  if (!stream) {
    const bool passing = may_pass(stream.error().code);
    return std::unexpected(Failure{std::move(stream).error(), passing});
  }
  if (stream->status() >= 400 && stream->status() != 416) return std::unexpected(refusal(*stream));
  auto answer = judge(question, stream->status(), stream->headers());
  if (!answer) return std::unexpected(Failure{std::move(answer).error().within(shown_)});
  return act_on(question, *answer, *stream);
}

HttpDownload::Attempt<HttpDownload::Step> HttpDownload::act_on(const RangeQuestion& question, const RangeAnswer& answer,
                                                               BlockingStream& stream) {
  switch (answer.kind) {
    case RangeAnswer::Kind::unchanged:
      if (may_use_receipt()) return Step::unchanged;
      return std::unexpected(Failure{{Code::upstream_failed, fmt::format("{}: status 304 came unasked", shown_)}});
    case RangeAnswer::Kind::complete:
      if (question.from > 0) return Step::complete;
      return std::unexpected(Failure{{Code::corrupt_data, fmt::format("{}: the file is empty", shown_)}});
    case RangeAnswer::Kind::changed:
      log::info("hub", "the file on the server is another one now: begun anew", {{"url", shown_}});
      from_first_byte_ = true;
      if (++begun_anew_ <= kMostNewBeginnings && question.from > 0) return Step::ask_again;
      return std::unexpected(Failure{{Code::upstream_failed, fmt::format("{}: the file keeps changing: try again later", shown_)}});
    case RangeAnswer::Kind::unusable:
      log::info("hub", "the server's ranges cannot be used: begun anew", {{"url", shown_}});
      if (!std::exchange(ranges_unusable_, true)) return Step::ask_again;
      return std::unexpected(Failure{{Code::upstream_failed, fmt::format("{}: a part came although the whole was asked for", shown_)}});
    case RangeAnswer::Kind::whole:
      if (is_receipts_file(answer.version)) return Step::unchanged;
      return receive(answer, true, stream);
    case RangeAnswer::Kind::rest:
      if (question.from == 0 && is_receipts_file(answer.version)) return Step::unchanged;
      return receive(answer, question.from == 0, stream);
  }
  return std::unexpected(Failure{{Code::internal, "an answer of no kind"}});
}

HttpDownload::Attempt<HttpDownload::Step> HttpDownload::receive(const RangeAnswer& answer, bool from_first_byte, BlockingStream& stream) {
  const auto stopped_by = [](Error error) {
    const bool passing = may_pass(error.code);
    return std::unexpected(Failure{std::move(error), passing});
  };
  const Bytes first = from_first_byte ? Bytes(0) : part_.received();
  if (from_first_byte) {
    std::string beginning;
    while (beginning.size() < kMagicBytes) {
      const auto chunk = stream.read(fetch_.stop);
      if (!chunk) return stopped_by(chunk.error());
      if (chunk->empty()) break;
      beginning += *chunk;
    }
    const auto begun = begin_anew(answer, beginning, stream.headers().get("Content-Type").value_or(""));
    if (!begun) return std::unexpected(Failure{begun.error()});
  } else {
    part_.learn_total(answer.version.total);
    if (auto room = require_room(part_.version()); !room) return std::unexpected(Failure{std::move(room).error()});
  }
  const Bytes end = answer.length ? Bytes(first.count + *answer.length) : Bytes(UINT64_MAX);
  while (true) {
    const auto chunk = stream.read(fetch_.stop);
    if (!chunk) return stopped_by(chunk.error());
    if (chunk->empty()) break;
    if (auto appended = append(*chunk, end); !appended) return std::unexpected(Failure{std::move(appended).error()});
  }
  const auto total = part_.version().total;
  if (!total || part_.received().count == *total) return Step::complete;
  // A server may send less than was asked for; it is asked for the rest then.
  if (part_.received() > first) return Step::ask_again;
  return std::unexpected(Failure{{Code::upstream_failed, fmt::format("{}: an answer without a byte came", shown_)}, true});
}

Result<> HttpDownload::begin_anew(const RangeAnswer& answer, std::string_view beginning, std::string_view content_type) {
  if (auto model = require_gguf(beginning, content_type); !model) return fail(std::move(model).error().within(shown_));
  PUNA_CHECK(require_room(answer.version));
  again_ = again_ || part_.received() > Bytes(0);
  if (auto begun = part_.begin(answer.version); !begun) return fail(with_figures(std::move(begun).error()));
  from_first_byte_ = false;
  return append(beginning, Bytes(answer.length.value_or(UINT64_MAX)));
}

Result<> HttpDownload::append(std::string_view bytes, Bytes end) {
  if (part_.received() + Bytes(bytes.size()) > end)
    return fail(Code::upstream_failed, fmt::format("{}: more bytes came than the server had promised", shown_));
  if (auto appended = part_.append(bytes); !appended) return fail(with_figures(std::move(appended).error()));
  farthest_ = std::max(farthest_, part_.received());
  report_progress();
  return {};
}

RangeQuestion HttpDownload::next_question() const {
  const bool may_go_on = !ranges_unusable_ && !from_first_byte_ && part_.version().range_validator();
  if (!may_go_on) return {.ranged = !ranges_unusable_};
  return {.from = part_.received().count, .version = part_.version()};
}

net::HttpRequest HttpDownload::request_for(const RangeQuestion& question) const {
  net::HttpRequest request;
  request.url = url_;
  request.deadlines = deadlines(*fetch_.settings.snapshot());
  request.headers.set("Accept-Encoding", "identity");
  // From the first byte, too: some hosts refuse to send very large files whole.
  if (question.ranged) request.headers.set("Range", fmt::format("bytes={}-", question.from));
  const auto validator = question.version.range_validator();
  if (question.from > 0 && validator) request.headers.set("If-Range", *validator);
  if (const auto& receipt = part_.receipt(); receipt && question.from == 0 && may_use_receipt()) {
    if (receipt->version.etag)
      request.headers.set("If-None-Match", *receipt->version.etag);
    else if (receipt->version.last_modified)
      request.headers.set("If-Modified-Since", *receipt->version.last_modified);
  }
  return request;
}

bool HttpDownload::may_use_receipt() const {
  const auto& receipt = part_.receipt();
  return receipt && (receipt->version.etag || receipt->version.last_modified) && fetch_.held(receipt->sha256);
}

// For servers that do not answer conditions.
bool HttpDownload::is_receipts_file(const FileVersion& version) const {
  const auto& receipt = part_.receipt();
  return receipt && may_use_receipt() && version.range_validator() && version == receipt->version;
}

HttpDownload::Failure HttpDownload::refusal(BlockingStream& stream) const {
  auto body = stream.read_beginning(kErrorBodyBytes, fetch_.stop);
  if (!body && body.error().code == Code::cancelled) return {std::move(body).error()};
  const net::HttpResponse response{.status = stream.status(), .headers = stream.headers(), .body = body.value_or("")};
  Error error = net::status_error(shown_, response);
  if (stream.status() == 401) error.message += "; a name and a password may stand before the host in the URL";
  return {std::move(error), net::is_retryable_status(stream.status())};
}

Result<> HttpDownload::require_room(const FileVersion& version) const {
  if (!version.total) return {};
  const Bytes total(*version.total);
  PUNA_CHECK(os::require_disk_space(part_.path(), part_.missing_room(total)));
  if (!same_file_system(fetch_.downloads, fetch_.models)) PUNA_CHECK(os::require_disk_space(fetch_.models, total));
  return {};
}

Error HttpDownload::with_figures(Error error) const {
  if (error.code != Code::disk_full) return error;
  const auto space = os::disk_space(fetch_.downloads);
  const auto total = part_.version().total;
  const std::string missing = total ? format_bytes(part_.missing_room(Bytes(*total))) + " more are needed" : "the size is not known";
  error.message =
      fmt::format("the disk of {} is full: {} came, {}, {} is free; what came is kept: make room and pull again", fetch_.downloads.string(),
                  format_bytes(part_.received()), missing, space ? format_bytes(space->available) : "an unknown amount");
  return error;
}

Result<> HttpDownload::wait_before_next_try(const Error& error, int failures, int attempts, Milliseconds delay) {
  log::warning("hub", "a download was interrupted and is tried again",
               {{"url", shown_},
                {"error", error.text()},
                {"received", part_.received().count},
                {"failures", failures},
                {"attempts", attempts},
                {"delay_ms", delay.count()}});
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, fetch_.stop, delay, [] { return false; });
  if (fetch_.stop.stop_requested()) return fail(Code::cancelled, "the transfer was cancelled");
  return {};
}

void HttpDownload::report_progress() const {
  const auto total = part_.version().total;
  fetch_.progress(again_ ? "downloading again" : "downloading", part_.received(), total ? std::optional(Bytes(*total)) : std::nullopt);
}

}  // namespace puna::hub
