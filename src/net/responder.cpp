// Writing answers: Responder, and the half of Connection behind it.
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/text.h"
#include "net/connection.h"

namespace puna::net {

namespace {

constexpr std::size_t kYieldAfter = 256 << 10;  // bytes one connection may write before others have their turn

// What a page of another origin may read of an answer besides the few headers that browsers always show.
constexpr std::string_view kExposedHeaders =
    "X-Request-Id, request-id, Retry-After, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
    "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, X-Puna-Queue-Position, X-Puna-Queue-Ms, "
    "X-Puna-Dropped, X-Puna-Ignored";

bool has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

// The connection's own business; a handler's word on it would contradict what is sent.
bool is_framing(std::string_view name) {
  return equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Transfer-Encoding") || equal_ignoring_case(name, "Date") ||
         equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Keep-Alive");
}

std::optional<std::uint64_t> stated_length(const Headers& headers) {
  const auto text = headers.get("Content-Length");
  if (!text) return std::nullopt;
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return length;
}

}  // namespace

Task<Result<>> Responder::send(Response response) {
  return connection_.send(std::move(response));
}
Task<Result<>> Responder::start(int status, Headers headers) {
  return connection_.start_answer(status, std::move(headers));
}
Task<Result<>> Responder::write(std::string_view bytes) {
  return connection_.write_body(bytes);
}
Task<Result<>> Responder::finish() {
  return connection_.finish_body();
}
Task<Result<WebSocket>> Responder::upgrade(WebSocketOptions options) {
  return connection_.upgrade(std::move(options));
}
bool Responder::started() const {
  return connection_.answer_ != Connection::Answer::none;
}

int Responder::status() const {
  return connection_.status_;
}
void Responder::add_header(std::string name, std::string value) {
  connection_.added_headers_.set(name, std::move(value));
}

Task<Result<>> Responder::start_sse(Headers headers) {
  headers.set("Content-Type", "text/event-stream");
  headers.set("Cache-Control", "no-cache");
  headers.set("X-Accel-Buffering", "no");  // proxies of the nginx kind would hold events back
  return connection_.start_answer(200, std::move(headers));
}

Task<Result<>> Connection::check_writable() {
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  if (broken_) co_return fail(Code::unavailable, "the client is gone");
  co_return Result<>();
}

void Connection::compose_head(int status, const Headers& headers, std::optional<std::uint64_t> length) {
  keep_alive_ = keep_alive_ && !core_->draining && !body_left_;
  head_.clear();
  auto out = std::back_inserter(head_);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\nDate: {}\r\nX-Request-Id: {}\r\n", status, reason_phrase(status), core_->date(), request_.id);
  status_ = status;
  for (const auto* fields : std::initializer_list<const Headers*>{&headers, &added_headers_})
    for (const auto& [name, value] : *fields)
      if (!is_framing(name) && is_header_name(name) && is_header_value(value)) head_.append(name).append(": ").append(value).append("\r\n");
  if (!allowed_origin_.empty())
    head_.append("Access-Control-Allow-Origin: ")
        .append(allowed_origin_)
        .append("\r\nAccess-Control-Expose-Headers: ")
        .append(kExposedHeaders)
        .append("\r\nVary: Origin\r\n");
  if (length)
    fmt::format_to(out, "Content-Length: {}\r\n", *length);
  else if (chunked_)
    head_.append("Transfer-Encoding: chunked\r\n");
  if (!keep_alive_)
    head_.append("Connection: close\r\n");
  else if (http_1_0_)
    head_.append("Connection: keep-alive\r\n");
  head_.append("\r\n");
}

Task<Result<>> Connection::send(Response response) {
  PUNA_CO_CHECK(co_await check_writable());
  if (answer_ != Answer::none) co_return fail(Code::internal, "the request was answered already");
  answer_ = Answer::complete;
  chunked_ = false;
  const bool head_only = request_.method == "HEAD" || !has_body(response.status);
  std::optional<std::uint64_t> length;
  if (has_body(response.status))
    length = request_.method == "HEAD" ? stated_length(response.headers).value_or(response.body.size()) : response.body.size();
  compose_head(response.status, response.headers, length);
  std::array<asio::const_buffer, 2> buffers = {asio::buffer(head_), head_only ? asio::const_buffer() : asio::buffer(response.body)};
  co_return co_await write_all(buffers);
}

Task<Result<>> Connection::start_answer(int status, Headers headers) {
  PUNA_CO_CHECK(co_await check_writable());
  if (answer_ != Answer::none) co_return fail(Code::internal, "the request was answered already");
  answer_ = Answer::streaming;
  owed_ = stated_length(headers);
  if (!has_body(status)) owed_ = 0;
  chunked_ = !owed_ && !http_1_0_;
  keep_alive_ = keep_alive_ && (owed_ || chunked_);  // else the end of the connection is the end of the answer
  compose_head(status, headers, has_body(status) ? owed_ : std::nullopt);
  if (request_.method == "HEAD") chunked_ = false;
  asio::const_buffer head = asio::buffer(head_);
  co_return co_await write_all({&head, 1});
}

Task<Result<>> Connection::write_body(std::string_view bytes) {
  PUNA_CO_CHECK(co_await check_writable());
  if (answer_ != Answer::streaming) co_return fail(Code::internal, "no streamed answer is under way");
  if (bytes.empty() || request_.method == "HEAD") co_return Result<>();
  if (owed_ && bytes.size() > *owed_) co_return fail(Code::internal, "the answer is longer than its Content-Length");
  if (owed_) *owed_ -= bytes.size();
  if (!chunked_) {
    asio::const_buffer plain = asio::buffer(bytes);
    co_return co_await write_all({&plain, 1});
  }
  std::array<char, 20> size{};
  auto* const size_end = fmt::format_to(size.data(), "{:x}\r\n", bytes.size());
  std::array<asio::const_buffer, 3> buffers = {asio::buffer(size.data(), static_cast<std::size_t>(size_end - size.data())),
                                               asio::buffer(bytes), asio::buffer(std::string_view("\r\n"))};
  co_return co_await write_all(buffers);
}

Task<Result<>> Connection::finish_body() {
  PUNA_CO_CHECK(co_await check_writable());
  if (answer_ != Answer::streaming) co_return fail(Code::internal, "no streamed answer is under way");
  if (owed_.value_or(0) > 0 && request_.method != "HEAD") co_return fail(Code::internal, "the answer is shorter than its Content-Length");
  answer_ = Answer::complete;
  if (!chunked_) co_return Result<>();
  asio::const_buffer last_chunk = asio::buffer(std::string_view("0\r\n\r\n"));
  co_return co_await write_all({&last_chunk, 1});
}

// The socket mostly takes everything at once: then nothing is waited for.
Task<Result<>> Connection::write_all(std::span<asio::const_buffer> buffers) {
  if (channel_.is_tls()) co_return co_await write_sealed(buffers);
  bool waited = false;
  while (!buffers.empty()) {
    boost::system::error_code error;
    std::size_t written = channel_.socket().write_some(buffers, error);
    unyielded_ += written;
    for (; !buffers.empty() && written >= buffers.front().size(); buffers = buffers.subspan(1)) written -= buffers.front().size();
    if (written > 0) buffers.front() += written;
    if (!error) continue;
    if (error != asio::error::would_block && error != asio::error::try_again) {
      broken_ = true;
      co_return fail(Code::unavailable, "the client is gone: " + error.message());
    }
    waited = true;
    watchdog_.set_after(core_->options.body_deadline);
    co_await channel_.socket().async_wait(Socket::wait_write, asio::as_tuple(asio::deferred));
    watchdog_.clear();
    if (timed_out_) {
      broken_ = true;
      co_return fail(Code::deadline_exceeded, "the client took no bytes for " + format_duration(core_->options.body_deadline));
    }
    PUNA_CO_CHECK(co_await check_writable());
  }
  if (waited)
    unyielded_ = 0;
  else if (unyielded_ >= kYieldAfter) {
    unyielded_ = 0;
    co_await asio::post(core_->io.context(), asio::deferred);
  }
  co_return Result<>();
}

Task<Result<>> Connection::write_sealed(std::span<asio::const_buffer> buffers) {
  while (!buffers.empty() && buffers.front().size() == 0) buffers = buffers.subspan(1);
  while (!buffers.empty()) {
    watchdog_.set_after(core_->options.body_deadline);
    auto [error, written] = co_await channel_.write_sealed(buffers);
    watchdog_.clear();
    if (timed_out_) {
      broken_ = true;
      co_return fail(Code::deadline_exceeded, "the client took no bytes for " + format_duration(core_->options.body_deadline));
    }
    PUNA_CO_CHECK(co_await check_writable());
    if (error) {
      broken_ = true;
      co_return fail(Code::unavailable, "the client is gone: " + error.message());
    }
    for (; !buffers.empty() && written >= buffers.front().size(); buffers = buffers.subspan(1)) written -= buffers.front().size();
    if (written > 0) buffers.front() += written;
  }
  co_return Result<>();
}

}  // namespace puna::net
