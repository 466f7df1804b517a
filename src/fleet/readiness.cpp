#include "fleet/readiness.h"

#include <fmt/format.h>

#include <algorithm>

namespace puna::fleet {
namespace {

constexpr Milliseconds kFirstPause{20};
constexpr Milliseconds kLongestPause{1'000};
constexpr Milliseconds kOneAnswer{5'000};

net::Task<Result<net::HttpResponse>> ask(net::HttpClient& http, const Endpoint& endpoint, const std::string& target) {
  auto request = endpoint.request("GET", target);
  request.deadlines = {.connect = kOneAnswer, .first_byte = kOneAnswer, .idle = kOneAnswer, .total = kOneAnswer};
  return http.fetch(std::move(request));
}

}  // namespace

net::Task<Result<>> wait_until_serving(net::HttpClient& http, const Endpoint& endpoint, Waiting waiting) {
  const auto due = net::deadline_after(waiting.deadline);
  std::string target = waiting.health.empty() ? "/health" : waiting.health;
  std::string last = "nothing";
  auto pause = kFirstPause;
  while (true) {
    const auto seen = waiting.changed.epoch();
    if (!waiting.wanted()) co_return fail(Code::cancelled, "nobody waits for it any more");
    const auto answer = co_await ask(http, endpoint, target);
    if (!answer && answer.error().code == Code::cancelled) co_return fail(answer.error());
    if (answer && answer->status == 200) co_return Result<>();
    if (answer && (answer->status == 401 || answer->status == 403))
      co_return fail(Code::unauthenticated,
                     fmt::format("{} answers with status {}: the key is wrong or missing", endpoint.url.printable(), answer->status));
    last = answer ? fmt::format("status {} for {}", answer->status, target) : answer.error().message;
    if (answer && answer->status == 404 && waiting.health.empty() && target == "/health") {
      target = "/v1/models";
      continue;
    }
    if (std::chrono::steady_clock::now() >= due)
      co_return fail(Code::deadline_exceeded,
                     fmt::format("it was not ready after {}; its last answer was: {}", format_duration(waiting.deadline), last));
    const auto waited = co_await waiting.changed.wait(seen, pause);
    if (!waited && waited.error().code == Code::cancelled) co_return fail(waited.error());
    pause = std::min(kLongestPause, pause * 3 / 2);
  }
}

}  // namespace puna::fleet
