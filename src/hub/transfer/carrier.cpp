#include "hub/transfer/carrier.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/settings_registry.h"
#include "base/text.h"
#include "hub/transfer/download.h"
#include "hub/transfer/thrown.h"

namespace puna::hub::transfer {
namespace {

using Kind = Carrier::End::Kind;

constexpr std::size_t kErrorBody = 16384;  // of an answer that explains a refusal
constexpr Milliseconds kGateLook{200};

bool may_pass(Code code) {
  return code == Code::unavailable || code == Code::deadline_exceeded || code == Code::overloaded;
}

bool is_refusal_of_location(int status) {
  return status == 400 || status == 401 || status == 403 || status == 404 || status == 410;
}

// What servers say in headers about their refusals.
void add_said(Error& error, const net::Headers& headers) {
  const auto add = [&](std::string_view name, std::string_view before) {
    if (const auto value = headers.get(name); value && error.message.find(*value) == std::string::npos)
      error.message += fmt::format("{}{}", before, printable(value->substr(0, 300)));
  };
  add("X-Error-Message", ": ");
  add("X-Error-Code", "; ");
  add("X-Request-Id", "; request ");
}

}  // namespace

Carrier::Carrier(Download& download, PieceMap::Stretch stretch, bool ranged, std::uint64_t wave)
    : download_(download), stretch_(stretch), ranged_(ranged), wave_(wave), host_(download.host()), at_(stretch.span.from) {}

void Carrier::start() {
  task_ = net::spawn(download_.surroundings().io, "carrier", run(shared_from_this(), download_.shared_from_this()));
}

void Carrier::stop() {
  stopped_ = true;
  task_.cancel();
}

net::Task<void> Carrier::run(std::shared_ptr<Carrier> self, std::shared_ptr<Download> keep) {
  End end;
  try {
    end = co_await self->carry();
  } catch (...) {
    end = {.kind = Kind::fatal, .error = thrown_error().within(keep->shown())};
  }
  if (self->stopped_) end = {.kind = Kind::again};
  try {
    keep->carrier_ended(*self, std::move(end));
  } catch (...) {
    keep->fail_with(thrown_error().within(keep->shown()));
  }
}

Carrier::End Carrier::ended_by(Error error) const {
  if (error.code == Code::cancelled) return {.kind = Kind::again};
  const bool passing = may_pass(error.code);
  return {.kind = passing ? Kind::passing : Kind::fatal, .error = std::move(error)};
}

net::Task<Result<>> Carrier::pass_gate() {
  while (true) {
    const auto wait = download_.surroundings().gate.enter(host_, std::chrono::steady_clock::now());
    if (wait == Milliseconds(0)) co_return Result<>();
    PUNA_CO_CHECK(co_await net::sleep_for(std::min(wait, kGateLook)));
  }
}

net::HttpRequest Carrier::request_to(const Address::Target& target) const {
  const auto settings = download_.surroundings().settings.snapshot();
  net::HttpRequest request;
  request.url = target.url;
  request.headers = target.headers;
  request.own_connection = true;
  request.deadlines = {.connect = settings->get(setting::kConnectDeadline),
                       .first_byte = settings->get(setting::kFirstByteDeadline),
                       .idle = std::min(settings->get(setting::kIdleDeadline), settings->get(setting::kTransferStall))};
  request.headers.set("Accept-Encoding", "identity");
  // From the first byte, too: some hosts refuse to send very large files whole.
  if (ranged_) request.headers.set("Range", fmt::format("bytes={}-{}", stretch_.span.from, stretch_.span.to - 1));
  if (const auto validator = download_.binding(); ranged_ && validator) request.headers.set("If-Range", *validator);
  return request;
}

net::Task<Carrier::End> Carrier::carry() {
  auto target = co_await download_.address().next();
  if (!target) co_return ended_by(std::move(target).error());
  host_ = target->url.authority();
  if (auto open = co_await pass_gate(); !open) co_return ended_by(std::move(open).error());

  const auto asked_at = std::chrono::steady_clock::now();
  auto stream = co_await download_.surroundings().http.open(request_to(*target));
  if (!stream) {
    if (may_pass(stream.error().code)) download_.address().failing(*target, download_.patience().failures() + 1);
    co_return ended_by(std::move(stream).error());
  }
  waited_ = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - asked_at);
  host_ = stream->url().authority();
  download_.surroundings().gate.learn(host_, stream->headers(), std::chrono::steady_clock::now());
  if (stream->status() >= 400 && stream->status() != 416) co_return co_await refusal(*target, *stream);

  auto answer = judge(download_.question(stretch_.span, ranged_), stream->status(), stream->headers());
  if (!answer) {
    Error error = std::move(answer).error().within(download_.shown());
    co_return co_await unmask(*stream, {.kind = Kind::passing, .error = std::move(error)});
  }
  download_.address().answered(*target, stream->url());
  co_return co_await act_on(std::move(*answer), *stream);
}

net::Task<Carrier::End> Carrier::refusal(const Address::Target& target, net::HttpStream& stream) {
  std::string body;
  while (body.size() < kErrorBody) {
    auto chunk = co_await stream.read();
    if (!chunk || !*chunk) break;
    body += **chunk;
  }
  if (body.size() > kErrorBody) body.resize(kErrorBody);
  const int status = stream.status();
  Error error = net::status_error(download_.shown(), {.status = status, .headers = stream.headers(), .body = std::move(body)});
  add_said(error, stream.headers());
  if (status == 429 || status == 503) {
    download_.refused_by(host_, stream.headers(), error);
    if (status == 503) download_.address().failing(target, download_.patience().failures() + 1);
    co_return End{.kind = Kind::passing, .error = std::move(error)};
  }
  if (is_refusal_of_location(status) && download_.address().refused(target)) co_return End{.kind = Kind::again};
  if (net::is_retryable_status(status)) {
    download_.address().failing(target, download_.patience().failures() + 1);
    co_return End{.kind = Kind::passing, .error = std::move(error)};
  }
  // A hub that explains itself wants a token, and says so.
  if (status == 401 && !stream.headers().get("X-Error-Message"))
    error.message += "; a name and a password may stand before the host in the URL";
  co_return End{.kind = Kind::fatal, .error = std::move(error)};
}

// A page in place of the file explains more than the way in which its answer is wrong.
net::Task<Carrier::End> Carrier::unmask(net::HttpStream& stream, End otherwise) {
  if (stream.status() != 200) co_return otherwise;
  auto chunk = co_await stream.read();
  if (!chunk || !*chunk) co_return otherwise;
  auto honest = refuse_impostor(download_.shown(), **chunk, stream.headers().get("Content-Type").value_or(""));
  if (honest) co_return otherwise;
  co_return End{.kind = Kind::fatal, .error = std::move(honest).error().within(download_.shown())};
}

net::Task<Carrier::End> Carrier::act_on(Answer answer, net::HttpStream& stream) {
  switch (answer.kind) {
    case Answer::Kind::end: {
      auto right = stretch_.span.from == 0 ? download_.begins_right({}, {}) : Result<>();
      if (right) right = co_await download_.learn(answer.version, true);
      co_return right ? End{} : ended_by(std::move(right).error());
    }
    case Answer::Kind::changed:
      co_return co_await unmask(stream, download_.changed_upstream(answer.version));
    case Answer::Kind::misplaced:
      co_return download_.misplaced();
    case Answer::Kind::whole:
      if (ranged_) {
        auto end = download_.ranges_ignored(stretch_.span);
        if (end.kind != Kind::done) co_return co_await unmask(stream, std::move(end));
      }
      break;
    case Answer::Kind::part:
      download_.ranges_work();
      break;
  }
  if (auto learned = co_await download_.learn(answer.version, answer.kind == Answer::Kind::part); !learned)
    co_return ended_by(std::move(learned).error());
  co_return co_await receive(answer, stream);
}

net::Task<Carrier::End> Carrier::receive(const Answer& answer, net::HttpStream& stream) {
  const std::string content_type(stream.headers().get("Content-Type").value_or(""));
  const std::uint64_t first = answer.span.from;
  at_ = first;
  std::string bytes;
  while (true) {
    const std::uint64_t end = std::min(download_.end_of(*this), answer.span.to);
    if (at_ >= end && end < answer.span.to) co_return End{};  // another connection brings the rest
    const auto more = co_await stream.read_into(bytes);
    if (!more) co_return ended_by(Error(more.error()).within(download_.shown()));
    if (!*more) break;
    flowing_ = true;
    const std::uint64_t next = at_ + beginning_.size();
    if (bytes.size() > end - std::min(end, next)) bytes.resize(end - std::min(end, next));
    count_ += bytes.size();
    if (auto passed = co_await download_.surroundings().bandwidth.pass(Bytes(bytes.size())); !passed) co_return End{.kind = Kind::again};
    if (auto kept = co_await keep(bytes, content_type); !kept) co_return ended_by(std::move(kept).error());
  }
  if (at_ == 0 && !std::exchange(judged_, true)) {
    auto right = download_.begins_right(beginning_, content_type);
    if (right) right = co_await keep({}, content_type);
    if (!right) co_return ended_by(std::move(right).error());
  }
  if (answer.span.to == UINT64_MAX) {
    if (auto learned = co_await download_.learn({.etag = {}, .last_modified = {}, .total = at_}, false); !learned)
      co_return ended_by(std::move(learned).error());
    co_return End{};
  }
  const auto size = download_.size();
  if (at_ > first && (ranged_ || !size || at_ >= *size)) co_return End{};
  if (at_ > first)
    co_return End{
        .kind = Kind::passing,
        .error = {Code::unavailable, fmt::format("{}: the answer broke off after {} of {} bytes", download_.shown(), at_, *size)}};
  co_return End{.kind = Kind::passing,
                .error = {Code::upstream_failed, fmt::format("{}: an answer without a byte came", download_.shown())}};
}

// The first bytes of a file are held back until they can be judged.
net::Task<Result<>> Carrier::keep(std::string_view bytes, std::string_view content_type) {
  std::string joined;
  if (at_ == 0 && (!judged_ || !beginning_.empty())) {
    beginning_ += bytes;
    const auto size = download_.size();
    if (!judged_ && beginning_.size() < kBeginning && (!size || beginning_.size() < *size)) co_return Result<>();
    if (!std::exchange(judged_, true)) PUNA_CO_CHECK(download_.begins_right(beginning_, content_type));
    joined = std::exchange(beginning_, {});
    bytes = joined;
  }
  if (bytes.empty()) co_return Result<>();
  PUNA_CO_CHECK(co_await download_.write(at_, bytes));
  at_ += bytes.size();
  co_return Result<>();
}

}  // namespace puna::hub::transfer
