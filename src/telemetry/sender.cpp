#include "telemetry/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "base/text.h"
#include "telemetry/otlp_json.h"

namespace puna::telemetry {
namespace {

constexpr std::string_view kPath = "/v1/traces";

bool may_pass(int status) {
  constexpr int kPassing[] = {429, 502, 503, 504};
  return std::ranges::find(kPassing, status) != std::end(kPassing);
}

bool may_pass(const Error& error) {
  return error.code == Code::unavailable || error.code == Code::deadline_exceeded;
}

double random_unit() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return std::uniform_real_distribution<>(0, 1)(random);
}

}  // namespace

Result<Collector> read_collector(std::string_view endpoint, std::string_view headers) {
  Collector out;
  PUNA_TRY(out.url, net::Url::parse(trim(endpoint)));
  if (out.url.scheme != "http" && out.url.scheme != "https")
    return fail(Code::invalid_argument, fmt::format("'{}' is not http or https", printable(out.url.scheme)));
  if (!out.url.path.ends_with(kPath)) {
    while (out.url.path.ends_with('/')) out.url.path.pop_back();
    out.url.path += kPath;
  }
  for (const auto pair : split(headers, ',')) {
    if (trim(pair).empty()) continue;
    const auto equals = pair.find('=');
    const std::string name(trim(pair.substr(0, equals)));
    const auto value = net::percent_decode(equals == std::string_view::npos ? "" : trim(pair.substr(equals + 1)));
    if (equals == std::string_view::npos || !net::is_header_name(name) || !value || !net::is_header_value(*value))
      return fail(Code::invalid_argument, "the headers are not of the form name=value,name=value");
    out.headers.emplace_back(name, Secret(*value));
  }
  return out;
}

net::Task<Result<net::HttpResponse>> Sender::attempt(const Collector& collector, std::string body) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = collector.url;
  request.headers.add("Content-Type", "application/json");
  for (const auto& [name, value] : collector.headers) request.headers.set(name, std::string(value.reveal()));
  request.body = std::move(body);
  request.deadlines = {.connect = limits_.attempt, .first_byte = limits_.attempt, .idle = limits_.attempt, .total = limits_.attempt};
  request.follow_redirects = false;
  request.max_body = mib(1);
  co_return co_await http_.fetch(std::move(request));
}

net::Task<Result<std::int64_t>> Sender::send(const Collector& collector, std::string body) {
  for (int tried = 1;; ++tried) {
    const auto seen = hurried_.epoch();
    const bool last = hurry_ || tried >= limits_.retry.attempts;
    const auto answer = co_await attempt(collector, body);
    if (answer && answer->status < 300) co_return rejected_spans(answer->body);
    const bool passing = answer ? may_pass(answer->status) : may_pass(answer.error());
    if (last || !passing) co_return fail(answer ? net::status_error("the collector", *answer) : answer.error());
    Milliseconds pause = limits_.retry.delay(tried, random_unit());
    if (answer)
      if (const auto asked = answer->headers.get("Retry-After"))
        pause = std::max(pause, std::min(net::parse_retry_after(*asked, std::chrono::system_clock::now()).value_or(pause),
                                         limits_.retry.longest_retry_after));
    const auto waited = co_await hurried_.wait(seen, pause);
    if (!waited && waited.error().code == Code::cancelled) co_return fail(waited.error());
  }
}

void Sender::hurry() {
  hurry_ = true;
  hurried_.notify();
}

}  // namespace puna::telemetry
