#include "hub/catalogues/web.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/settings_registry.h"
#include "base/text.h"
#include "net/retry.h"

namespace puna::hub {
namespace {

constexpr Milliseconds kLongestPatience{3'000};  // that a server may ask of somebody who waits at a terminal
constexpr int kMostAttempts = 3;

net::HttpRequest request_for(const Settings& settings, const net::Url& url, const Question& question, const Endpoint& endpoint) {
  net::HttpRequest out;
  out.url = url;
  out.headers = question.headers;
  for (const auto& field : authorization(endpoint.token)) out.headers.add(field.name, field.value);
  out.headers.set("Accept-Encoding", "identity");
  out.max_body = question.limit;
  out.deadlines = {.connect = settings.get(setting::kConnectDeadline),
                   .first_byte = settings.get(setting::kFirstByteDeadline),
                   .idle = settings.get(setting::kIdleDeadline)};
  out.retry = {.attempts = std::min(static_cast<int>(settings.get(setting::kRetryAttempts)), kMostAttempts),
               .base = settings.get(setting::kRetryBase),
               .factor = settings.get(setting::kRetryFactor),
               .cap = std::min(settings.get(setting::kRetryCap), kLongestPatience),
               .jitter = settings.get(setting::kRetryJitter),
               .longest_retry_after = kLongestPatience};
  return out;
}

bool is_web_page(const net::HttpResponse& response) {
  const std::string type = lower_ascii(response.headers.get("Content-Type").value_or(""));
  return type.starts_with("text/html") || type.starts_with("application/xhtml") || trim(response.body).starts_with("<!") ||
         lower_ascii(trim(response.body).substr(0, 5)) == "<html";
}

Error web_page_error(const Question& question, const Endpoint& endpoint) {
  return {Code::upstream_failed,
          fmt::format("{}: {} answered with a web page instead of data; a login page of the network may stand between, or "
                      "the address is not that of the service",
                      question.what, endpoint.url.authority())};
}

// A server that is down or lies: another one may do better.
bool may_do_better_elsewhere(const Error& error) {
  return error.code == Code::unavailable || error.code == Code::deadline_exceeded || error.code == Code::upstream_failed ||
         error.code == Code::overloaded;
}

Error network_error(Error error, const Question& question) {
  if (error.code == Code::unavailable && !error.message.contains("offline") && !net::network_present())
    return {Code::unavailable,
            fmt::format("there is no network: {} cannot be asked about; what is in the library works without one", question.what)};
  return std::move(error).within(question.what);
}

net::Task<Result<net::HttpResponse>> ask_one(const Access& access, const Endpoint& endpoint, const Question& question,
                                             const Refusal& refusal) {
  PUNA_CO_TRY(const auto url, behind(endpoint.url, question.target));
  auto response = co_await access.http.fetch(request_for(*access.settings.snapshot(), url, question, endpoint));
  if (!response) co_return fail(network_error(std::move(response).error(), question));
  if (response->status >= 200 && response->status < 300) {
    if (is_web_page(*response)) co_return fail(web_page_error(question, endpoint));
    co_return std::move(*response);
  }
  co_return fail(refusal(question, endpoint, *response));
}

}  // namespace

net::Task<Result<Answer>> ask(const Access& access, std::vector<Endpoint> endpoints, Question question, Refusal refusal) {
  std::optional<Error> first;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    auto response = co_await ask_one(access, endpoints[i], question, refusal);
    if (response) co_return Answer{std::move(*response), i};
    if (!may_do_better_elsewhere(response.error())) co_return fail(std::move(response).error());
    if (!first) first = std::move(response).error();
  }
  co_return fail(first.value_or(Error(Code::invalid_argument, "no server is set to ask")));
}

net::Task<Result<JsonAnswer>> ask_json(const Access& access, std::vector<Endpoint> endpoints, Question question, Refusal refusal) {
  const auto what = question.what;
  const auto authorities = endpoints;
  PUNA_CO_TRY(auto answer, co_await ask(access, std::move(endpoints), std::move(question), std::move(refusal)));
  auto body = json::parse(answer.response.body);
  if (!body)
    co_return fail(Code::upstream_failed, fmt::format("{}: the answer of {} is not what it should be: {}", what,
                                                      authorities[answer.endpoint].url.authority(), body.error().message));
  co_return JsonAnswer{std::move(*body), std::move(answer.response.headers), answer.endpoint};
}

Result<net::Url> behind(const net::Url& endpoint, std::string_view target) {
  std::string text = endpoint.without_credentials().text();
  while (text.ends_with('/')) text.pop_back();
  return net::Url::parse(text + std::string(target));
}

net::Headers authorization(const Secret& token) {
  net::Headers out;
  if (!token.empty()) out.add("Authorization", fmt::format("Bearer {}", token.reveal()));
  return out;
}

std::string request_id(const net::Headers& headers) {
  constexpr std::size_t kLongest = 100;
  for (const std::string_view name : {"X-Request-Id", "X-Amzn-Trace-Id", "X-Amz-Cf-Id"})
    if (const auto id = headers.get(name)) return fmt::format(" (request {})", printable(id->substr(0, kLongest)));
  return {};
}

std::optional<Milliseconds> wanted_wait(const net::Headers& headers) {
  if (const auto after = headers.get("Retry-After"))
    if (auto wait = net::parse_retry_after(*after, std::chrono::system_clock::now())) return wait;
  // RateLimit: "api";r=0;t=55
  const auto limit = headers.get("RateLimit");
  if (!limit) return std::nullopt;
  for (const auto part : split(*limit, ';')) {
    const auto item = trim(part);
    std::int64_t seconds = 0;
    if (item.starts_with("t=") && std::from_chars(item.data() + 2, item.data() + item.size(), seconds).ec == std::errc())
      return Seconds(std::clamp<std::int64_t>(seconds, 0, 86'400) + 1);
  }
  return std::nullopt;
}

std::string said(const net::HttpResponse& response) {
  constexpr std::size_t kLongest = 300;
  std::string text(response.headers.get("X-Error-Message").value_or(""));
  if (const auto body = json::parse_object(response.body); body && text.empty()) {
    for (const std::string_view name : {"error", "errors", "message", "Message", "error_description"}) {
      const auto* value = body->if_contains(name);
      if (value && value->is_array() && !value->get_array().empty()) value = &value->get_array().front();
      if (value && value->is_object()) value = value->get_object().if_contains("message");
      if (value && value->is_string() && text.empty()) text = value->get_string().c_str();
    }
  }
  std::ranges::replace(text, '\n', ' ');
  const auto cut = std::string_view(text).substr(0, kLongest);
  return printable(cut.substr(0, utf8_complete_prefix(cut)));
}

Error usual_refusal(const Question& question, const Endpoint& endpoint, const net::HttpResponse& response) {
  const std::string host = endpoint.url.authority();
  const std::string words = said(response);
  const std::string detail = words.empty() ? "" : ": " + words;
  if (response.status == 429) {
    Error out(Code::overloaded, {});
    out.retry_after = wanted_wait(response.headers);
    out.message = fmt::format("{}: {} takes no more questions{}{}{}", question.what, host,
                              out.retry_after ? fmt::format(" for {}", format_duration(*out.retry_after)) : "",
                              endpoint.token.empty() ? "; an access token (hub.token) raises the limit" : "", request_id(response.headers));
    return out;
  }
  if (response.status >= 500)
    return {Code::upstream_failed, fmt::format("{}: {} has a fault of its own ({} {}){}{}; try again later", question.what, host,
                                               response.status, net::reason_phrase(response.status), detail, request_id(response.headers))};
  if (response.status == 407)
    return {Code::unavailable, fmt::format("{}: the proxy wants a user and a password: set network.proxy", question.what)};
  const Code code = response.status == 408 ? Code::deadline_exceeded : code_from_http_status(response.status);
  return {code == Code::internal ? Code::upstream_failed : code,
          fmt::format("{}: {} answered {} {}{}{}", question.what, host, response.status, net::reason_phrase(response.status), detail,
                      request_id(response.headers))};
}

std::optional<std::string> next_link(const net::Headers& headers) {
  for (const auto value : headers.all("Link")) {
    for (std::size_t at = value.find('<'); at != std::string_view::npos; at = value.find('<', at + 1)) {
      const auto end = value.find('>', at);
      if (end == std::string_view::npos) break;
      const auto parameters = value.substr(end, value.find('<', end) - end);
      if (parameters.contains("rel=\"next\"") || parameters.contains("rel=next")) return std::string(value.substr(at + 1, end - at - 1));
    }
  }
  return std::nullopt;
}

std::optional<std::string> text_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(std::string_view(value->get_string()));
}

std::optional<std::string> time_at(const json::object& object, std::string_view name) {
  constexpr std::size_t kWithoutFraction = 20;
  auto text = text_at(object, name);
  if (text && text->size() == kWithoutFraction && text->ends_with('Z')) text->insert(kWithoutFraction - 1, ".000");
  return text;
}

std::optional<std::int64_t> integer_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64()) return static_cast<std::int64_t>(std::min<std::uint64_t>(value->get_uint64(), INT64_MAX));
  return std::nullopt;
}

const json::object* object_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_object() ? &value->get_object() : nullptr;
}

const json::array* array_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_array() ? &value->get_array() : nullptr;
}

}  // namespace puna::hub
