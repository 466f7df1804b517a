#include "client/watch.h"

namespace puna::client {
namespace {

bool may_pass(const Error& error) {
  return error.code == Code::unavailable || error.code == Code::deadline_exceeded;
}

}  // namespace

net::Task<Result<>> Watch::connect() {
  for (int attempt = 1;; ++attempt) {
    auto stream = co_await transport_.open({.target = "/api/v1/events", .deadlines = kStreamDeadlines});
    if (stream) {
      stream_.emplace(std::move(*stream));
      last_.reset();
      co_return Result<>();
    }
    if (!may_pass(stream.error()) || attempt >= retry_.attempts) co_return fail(std::move(stream).error());
    constexpr double kWholeDelay = 1;
    PUNA_CO_CHECK(co_await net::sleep_for(retry_.delay(attempt, kWholeDelay)));
  }
}

net::Task<Result<std::optional<wire::EventView>>> Watch::next() {
  if (after_the_gap_) co_return std::exchange(after_the_gap_, std::nullopt);
  while (stream_) {
    auto frame = co_await stream_->next();
    if (!frame && !may_pass(frame.error())) co_return fail(std::move(frame).error());
    if (!frame || !*frame) {
      stream_.reset();
      break;
    }
    auto event = json::decode_text<wire::EventView>((*frame)->data, json::Unknown::ignore);
    if (!event) co_return fail(Code::upstream_failed, "the daemon's event was not understood: " + event.error().text());
    const bool gap = last_ && event->sequence > *last_ + 1;
    last_ = event->sequence;
    if (!gap) co_return std::move(*event);
    after_the_gap_ = std::move(*event);
    co_return std::nullopt;
  }
  PUNA_CO_CHECK(co_await connect());
  co_return std::nullopt;
}

}  // namespace puna::client
