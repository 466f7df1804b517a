#include "client/watch.h"

namespace puna::client {
namespace {

constexpr std::string_view kReset = "events.reset";  // the daemon's word for events that are gone

bool may_pass(const Error& error) {
  return error.code == Code::unavailable || error.code == Code::deadline_exceeded;
}

}  // namespace

net::Task<Result<>> Watch::connect() {
  for (int attempt = 1;; ++attempt) {
    auto stream = co_await transport_.open({.target = "/api/v1/events", .deadlines = kStreamDeadlines});
    if (stream) {
      stream_.emplace(std::move(*stream));
      co_return Result<>();
    }
    if (!may_pass(stream.error()) || attempt >= retry_.attempts) co_return fail(std::move(stream).error());
    constexpr double kWholeDelay = 1;
    PUNA_CO_CHECK(co_await net::sleep_for(retry_.delay(attempt, kWholeDelay)));
  }
}

net::Task<Result<std::optional<wire::EventView>>> Watch::next() {
  if (stream_) {
    auto result = co_await stream_->next();
    if (!result && !may_pass(result.error())) co_return fail(std::move(result).error());
    const auto frame = result ? std::move(*result) : std::nullopt;
    if (frame) {
      auto event = json::decode_text<wire::EventView>(frame->data, json::Unknown::ignore);
      if (!event) co_return fail(Code::upstream_failed, not_understood(event.error()));
      if (event->type == kReset) co_return std::nullopt;
      co_return std::move(*event);
    }
    stream_.reset();
  }
  PUNA_CO_CHECK(co_await connect());
  co_return std::nullopt;
}

}  // namespace puna::client
