// Attempts, redirects and the values around them; one attempt is a Transfer.
#include "net/http_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <random>

#include "base/text.h"
#include "net/curl_multi.h"
#include "net/transfer.h"

namespace puna::net {

namespace {

// What must not reach another origin.
constexpr std::array<std::string_view, 7> kCredentialHeaders = {"Authorization", "Cookie",        "Proxy-Authorization", "X-Api-Key",
                                                                "Api-Key",       "Private-Token", "X-Goog-Api-Key"};

double random_unit() {
  static thread_local std::mt19937_64 generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

Result<> check_request(const HttpRequest& request) {
  if (request.url.scheme != "http" && request.url.scheme != "https")
    return fail(Code::invalid_argument, fmt::format("'{}' is not fetched: only http and https are", request.url.printable()));
  if (!is_header_name(request.method))
    return fail(Code::invalid_argument, fmt::format("'{}' is not an HTTP method", printable(request.method)));
  for (const auto& [name, value] : request.headers)
    if (!is_header_name(name) || !is_header_value(value))
      return fail(Code::invalid_argument, fmt::format("the header '{}' has characters that no header may have", printable(name)));
  return {};
}

bool may_be_sent_twice(const HttpRequest& request) {
  return request.repeatable || (request.method != "POST" && request.method != "PATCH");
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The request that a redirect asks for (RFC 9110, section 15.4).
std::expected<std::shared_ptr<const HttpRequest>, Fault> redirected(const HttpRequest& from, int status, std::string_view location) {
  const auto refuse = [&](std::string why) {
    return std::unexpected(
        Fault{.error = {Code::upstream_failed, fmt::format("{} redirects {}", from.url.printable(), why)}, .sent = true});
  };
  auto target = from.url.resolve(location);
  if (!target) return refuse(fmt::format("to '{}', which is {}", printable(location), target.error().message));
  if (target->scheme != "http" && target->scheme != "https") return refuse("to " + target->printable() + ", which is not HTTP");
  if (from.url.scheme == "https" && target->scheme == "http") return refuse("to an unprotected connection: " + target->printable());
  if (!from.url.is_loopback() && target->is_loopback()) return refuse("to this machine: " + target->printable());

  auto next = std::make_shared<HttpRequest>(from);
  if (target->same_origin(from.url)) {
    if (!target->credentials) target->credentials = from.url.credentials;
  } else {
    for (auto name : kCredentialHeaders) next->headers.remove(name);
  }
  next->url = std::move(*target);
  const bool becomes_get = (status == 303 && from.method != "HEAD") || ((status == 301 || status == 302) && from.method == "POST");
  if (becomes_get) {
    next->method = "GET";
    next->body.clear();
    next->body_source.reset();
    for (auto name : {"Content-Type", "Content-Length", "Content-Encoding"}) next->headers.remove(name);
  }
  return next;
}

}  // namespace

HttpRequest HttpRequest::to_socket(std::filesystem::path socket, std::string method, std::string_view target) {
  HttpRequest request;
  request.method = std::move(method);
  request.url.scheme = "http";
  request.url.host = "localhost";
  const auto mark = target.find('?');
  request.url.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.url.query = target.substr(mark + 1);
  request.unix_socket = std::move(socket);
  return request;
}

HttpStream::HttpStream(std::unique_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}
HttpStream::HttpStream(HttpStream&&) noexcept = default;
HttpStream& HttpStream::operator=(HttpStream&&) noexcept = default;
HttpStream::~HttpStream() = default;

int HttpStream::status() const {
  return transfer_->status();
}
const Headers& HttpStream::headers() const {
  return transfer_->headers();
}
const Url& HttpStream::url() const {
  return transfer_->request().url;
}
Task<Result<std::optional<std::string>>> HttpStream::read() {
  return transfer_->read();
}

Task<Result<bool>> HttpStream::read_into(std::string& out) {
  return transfer_->read_into(out);
}

Task<Result<std::string>> HttpStream::read_all(Bytes limit) {
  std::string all;
  while (true) {
    PUNA_CO_TRY(auto piece, co_await read());
    if (!piece) co_return all;
    if (all.size() + piece->size() > limit.count)
      co_return fail(Code::too_large, fmt::format("the answer of {} is larger than {}", url().printable(), format_bytes(limit)));
    all += *piece;
  }
}

HttpClient::HttpClient(Io& io, ClientOptions options) : options_(std::move(options)) {
  if (auto multi = CurlMulti::create(io, options_))
    multi_ = std::move(*multi);
  else
    broken_ = multi.error();
}

HttpClient::~HttpClient() {
  if (multi_) multi_->shut_down();
}

void HttpClient::configure(ClientOptions options) {
  options_ = std::move(options);
  if (multi_) multi_->configure(options_);
}

Task<Result<HttpResponse>> HttpClient::fetch(HttpRequest request) {
  PUNA_CO_TRY(auto transfer, co_await perform(std::move(request), true));
  co_return transfer->take_response();
}

Task<Result<HttpStream>> HttpClient::open(HttpRequest request) {
  PUNA_CO_TRY(auto transfer, co_await perform(std::move(request), false));
  co_return HttpStream(std::move(transfer));
}

Task<Result<std::unique_ptr<Transfer>>> HttpClient::perform(HttpRequest given, bool whole) {
  PUNA_CO_CHECK(check_request(given));
  if (broken_) co_return fail(*broken_);
  const auto request = std::make_shared<const HttpRequest>(std::move(given));
  const auto& policy = request->retry;
  for (int attempt = 1;; ++attempt) {
    auto transfer = co_await follow(request, whole);
    RetryNotice notice{.failed_attempt = attempt, .attempts = policy.attempts, .delay = policy.delay(attempt, random_unit()), .error = {}};
    bool again = attempt < policy.attempts;
    if (transfer) {
      const int status = (*transfer)->status();
      again = again && is_retryable_status(status) && (may_be_sent_twice(*request) || is_untouched_status(status));
      if (!again) co_return std::move(*transfer);
      notice.error = status_error(request->url.printable(), {.status = status, .headers = (*transfer)->headers(), .body = {}});
      if (notice.error.retry_after && *notice.error.retry_after > policy.longest_retry_after) co_return std::move(*transfer);
      notice.delay = std::max(notice.delay, notice.error.retry_after.value_or(Milliseconds(0)));
    } else {
      auto& fault = transfer.error();
      again = again && fault.transient && (may_be_sent_twice(*request) || !fault.sent);
      if (!again && attempt > 1) co_return fail(std::move(fault.error).within(fmt::format("attempt {} of {}", attempt, policy.attempts)));
      if (!again) co_return fail(std::move(fault.error));
      notice.error = std::move(fault.error);
    }
    transfer = std::unexpected(Fault());  // its connection is free while we wait
    if (request->on_retry) request->on_retry(notice);
    PUNA_CO_CHECK(co_await sleep_for(notice.delay));
  }
}

Task<std::expected<std::unique_ptr<Transfer>, Fault>> HttpClient::follow(std::shared_ptr<const HttpRequest> request, bool whole) {
  const bool follows = request->follow_redirects && !request->unix_socket;
  for (int redirects = 0;; ++redirects) {
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return std::unexpected(Fault{.error = cancelled_error()});
    if (options_.offline && !request->unix_socket && !request->url.is_loopback())
      co_return std::unexpected(
          Fault{.error = {Code::unavailable,
                          fmt::format("{} is not asked: offline mode is on (setting network.offline)", request->url.printable())}});
    auto transfer = Transfer::start(multi_, request, options_, whole);
    if (!transfer) co_return transfer;
    if (auto answered = co_await (*transfer)->answer(); !answered) co_return std::unexpected(std::move(answered).error());
    const auto location = (*transfer)->headers().get("Location");
    if (!follows || !is_redirect((*transfer)->status()) || !location) co_return transfer;
    if (redirects >= request->max_redirects)
      co_return std::unexpected(Fault{.error = {Code::upstream_failed, fmt::format("{} redirects more than {} times",
                                                                                   request->url.printable(), request->max_redirects)},
                                      .sent = true});
    auto next = redirected(*request, (*transfer)->status(), *location);
    if (!next) co_return std::unexpected(std::move(next).error());
    request = std::move(*next);
  }
}

namespace {

// {"error":{"message":…}}, {"error":"…"}, {"message":…}: what servers say.
std::optional<std::string> message_in(std::string_view body) {
  const auto parsed = json::parse_object(body);
  if (!parsed) return std::nullopt;
  const auto text_of = [](const json::value* value) -> std::optional<std::string> {
    if (!value || !value->is_string()) return std::nullopt;
    return std::string(std::string_view(value->get_string()));
  };
  const auto* error = parsed->if_contains("error");
  if (error && error->is_object()) return text_of(error->get_object().if_contains("message"));
  if (auto text = text_of(error)) return text;
  return text_of(parsed->if_contains("message"));
}

}  // namespace

Error status_error(std::string_view what, const HttpResponse& response) {
  constexpr std::size_t kLongestExcerpt = 300;
  if (response.status == 407) return proxy_wants_credentials(what);
  auto said = message_in(response.body);
  const bool plain = response.headers.get("Content-Type").value_or("").starts_with("text/plain");
  if (!said && plain && !trim(response.body).empty()) said = trim(response.body);
  Error error(code_from_http_status(response.status),
              fmt::format("{} answered {} {}", what, response.status, reason_phrase(response.status)));
  if (said) {
    const auto excerpt = std::string_view(*said).substr(0, kLongestExcerpt);
    error.message += ": " + printable(excerpt.substr(0, utf8_complete_prefix(excerpt)));
  }
  if (const auto wait = response.headers.get("Retry-After")) error.retry_after = parse_retry_after(*wait, std::chrono::system_clock::now());
  return error;
}

bool network_present() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return true;  // unknown: blame nothing
  bool present = false;
  for (const auto* entry = list; entry && !present; entry = entry->ifa_next) {
    if (!entry->ifa_addr || (entry->ifa_flags & IFF_LOOPBACK) || !(entry->ifa_flags & IFF_UP) || !(entry->ifa_flags & IFF_RUNNING))
      continue;
    if (entry->ifa_addr->sa_family == AF_INET) present = true;
    if (entry->ifa_addr->sa_family == AF_INET6)
      present = !IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr);
  }
  ::freeifaddrs(list);
  return present;
}

}  // namespace puna::net
