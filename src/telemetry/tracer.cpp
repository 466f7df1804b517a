#include "telemetry/tracer.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/id.h"
#include "base/log.h"
#include "base/settings_registry.h"
#include "base/version.h"
#include "telemetry/otlp_json.h"

namespace puna::telemetry {
namespace {

constexpr std::size_t kMostWaiting = 4096;
constexpr std::size_t kBatch = 512;

}  // namespace

Tracer::Tracer(Parts parts)
    : parts_(std::move(parts)),
      instance_(new_ulid()),
      sender_(parts_.io, parts_.http, parts_.limits),
      timer_(parts_.io.context().get_executor(), [this] { send_now(); }) {}

std::optional<Trace> Tracer::begin(const net::Headers& headers) const {
  if (parts_.settings()->get(setting::kOtlpEndpoint).empty()) return std::nullopt;
  return Trace::begin(headers, parts_.clock);
}

void Tracer::record(const Trace& trace, Span span) {
  if (!trace.sampled()) return;
  if (waiting_.size() >= kMostWaiting) {
    ++dropped_;
    return;
  }
  waiting_.push_back(std::move(span));
  if (waiting_.size() >= kBatch)
    send_now();
  else if (!std::exchange(due_, true))
    timer_.set_after(parts_.delay);
}

void Tracer::send_now() {
  due_ = false;
  timer_.clear();
  if (!sending_.running()) sending_ = net::spawn(parts_.io, "telemetry", send_all(*this));
}

std::vector<Span> Tracer::take_batch() {
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kBatch));
  std::vector<Span> out(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return out;
}

net::Task<Result<std::int64_t>> Tracer::deliver(std::span<const Span> batch) {
  const auto settings = parts_.settings();
  PUNA_CO_TRY(const auto collector, read_collector(settings->get(setting::kOtlpEndpoint), settings->get(setting::kOtlpHeaders)));
  co_return co_await sender_.send(collector, otlp_json(resource(), batch));
}

net::Task<void> Tracer::send_all(Tracer& tracer) {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  while (!tracer.waiting_.empty()) {
    const auto batch = tracer.take_batch();
    const auto rejected = co_await tracer.deliver(batch);
    const auto count = static_cast<std::int64_t>(batch.size());
    const auto lost = rejected ? std::clamp<std::int64_t>(*rejected, 0, count) : count;
    tracer.dropped_ += static_cast<std::uint64_t>(lost);
    tracer.sent_ += static_cast<std::uint64_t>(count - lost);
    if (!rejected && rejected.error().code == Code::cancelled) co_return;
    tracer.tell(rejected);
  }
}

// Once for each change, however many batches it takes.
void Tracer::tell(const Result<std::int64_t>& sent) {
  if (sent.has_value() != failing_) return;
  failing_ = !sent;
  if (failing_)
    log::warning("telemetry", "spans cannot be sent and are dropped", {{"error", sent.error().text()}});
  else
    log::info("telemetry", "spans are sent again");
}

Attributes Tracer::resource() const {
  return {{"service.name", parts_.settings()->get(setting::kServiceName)},
          {"service.version", std::string(version())},
          {"service.instance.id", instance_},
          {"process.pid", static_cast<std::int64_t>(::getpid())}};
}

net::Task<void> Tracer::close(Milliseconds limit) {
  sender_.hurry();
  send_now();
  // ignored: whether it has ended is asked for
  (void)co_await net::within(limit, "sending the last spans", [](Tracer& tracer) -> net::Task<Result<>> {
    co_await tracer.sending_.join();
    co_return Result<>();
  }(*this));
  const bool late = sending_.running();
  sending_.cancel();
  co_await sending_.join();
  timer_.clear();
  if (late) log::warning("telemetry", "the last spans were not sent in time", {{"waiting", waiting_.size()}});
  dropped_ += waiting_.size();
  waiting_.clear();
}

}  // namespace puna::telemetry
