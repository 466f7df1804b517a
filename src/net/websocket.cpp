#include "net/websocket.h"

#include <boost/beast/core/buffered_read_stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "net/connection.h"

namespace puna::net {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

// A stream with the bytes that came behind the handshake in front.
template <class Layer>
struct EarlyBytes : beast::buffered_read_stream<Layer, beast::flat_buffer> {
  using beast::buffered_read_stream<Layer, beast::flat_buffer>::buffered_read_stream;
};

// Beast finds these two by name, to close the connection.
template <class Layer>
void teardown(beast::role_type role, EarlyBytes<Layer>& stream, beast::error_code& error) {
  using websocket::teardown;
  teardown(role, stream.next_layer(), error);
}
template <class Layer, class H>
void async_teardown(beast::role_type role, EarlyBytes<Layer>& stream, H&& handler) {
  using websocket::async_teardown;
  async_teardown(role, stream.next_layer(), std::forward<H>(handler));
}

struct WebSocket::Stream {
  explicit Stream(WebSocketOptions given) : options(std::move(given)) {}
  virtual ~Stream() = default;
  virtual Task<Result<std::optional<WebSocketMessage>>> read() = 0;
  virtual Task<Result<>> write(std::string_view bytes, bool text) = 0;
  virtual Task<Result<>> ping() = 0;
  virtual Task<Result<>> close(const websocket::close_reason& why) = 0;

  [[nodiscard]] Error error_for(const boost::system::error_code& error) const {
    if (error == asio::error::operation_aborted) return cancelled_error();
    if (error == beast::error::timeout) return {Code::deadline_exceeded, "the peer was silent for " + format_duration(options.idle)};
    if (error == websocket::error::message_too_big)
      return {Code::too_large, "a message is larger than " + format_bytes(options.max_message)};
    return {Code::unavailable, "the WebSocket broke: " + error.message()};
  }
  [[nodiscard]] Result<> result_of(const boost::system::error_code& error) const {
    if (error) return fail(error_for(error));
    return {};
  }

  WebSocketOptions options;
};

namespace {

template <class Layer>
struct Frames final : WebSocket::Stream {
  Frames(Layer layer, WebSocketOptions given) : Stream(std::move(given)), frames(std::move(layer)) {}

  Task<Result<std::optional<WebSocketMessage>>> read() override {
    beast::flat_buffer buffer;
    const auto [error, bytes] = co_await frames.async_read(buffer, asio::as_tuple(asio::use_awaitable));
    if (error == websocket::error::closed) co_return std::nullopt;
    if (error) co_return fail(error_for(error));
    co_return WebSocketMessage{.text = frames.got_text(), .data = beast::buffers_to_string(buffer.data())};
  }
  Task<Result<>> write(std::string_view bytes, bool text) override {
    frames.text(text);
    const auto [error, written] = co_await frames.async_write(asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
    co_return result_of(error);
  }
  Task<Result<>> ping() override {
    const auto [error] = co_await frames.async_ping({}, asio::as_tuple(asio::use_awaitable));
    co_return result_of(error);
  }
  Task<Result<>> close(const websocket::close_reason& why) override {
    const auto [error] = co_await frames.async_close(why, asio::as_tuple(asio::use_awaitable));
    co_return result_of(error);
  }

  websocket::stream<EarlyBytes<Layer>, false> frames;
};

using Handshake = beast::http::request<beast::http::empty_body>;

struct Acceptance {
  const Handshake& handshake;
  std::string_view early;  // came behind it
  std::string_view request_id;
  Milliseconds handshake_deadline;
};

template <class Layer>
Task<Result<std::unique_ptr<WebSocket::Stream>>> accept(Layer layer, Acceptance acceptance, WebSocketOptions options) {
  auto stream = std::make_unique<Frames<Layer>>(std::move(layer), std::move(options));
  auto& frames = stream->frames;
  auto& buffer = frames.next_layer().buffer();
  buffer.commit(asio::buffer_copy(buffer.prepare(acceptance.early.size()), asio::buffer(acceptance.early)));
  frames.set_option(websocket::stream_base::timeout{
      .handshake_timeout = acceptance.handshake_deadline, .idle_timeout = stream->options.idle, .keep_alive_pings = true});
  frames.set_option(websocket::stream_base::decorator([&](websocket::response_type& response) {
    response.set("X-Request-Id", acceptance.request_id);
    if (!stream->options.protocol.empty()) response.set(beast::http::field::sec_websocket_protocol, stream->options.protocol);
  }));
  frames.read_message_max(stream->options.max_message.count);
  const auto [error] = co_await frames.async_accept(acceptance.handshake, asio::as_tuple(asio::use_awaitable));
  if (error) co_return fail(stream->error_for(error));
  co_return std::move(stream);
}

}  // namespace

WebSocket::WebSocket(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
WebSocket::WebSocket(WebSocket&&) noexcept = default;
WebSocket& WebSocket::operator=(WebSocket&&) noexcept = default;
WebSocket::~WebSocket() = default;

Task<Result<std::optional<WebSocketMessage>>> WebSocket::read() {
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  co_return co_await stream_->read();
}

Task<Result<>> WebSocket::write(std::string_view bytes, bool text) {
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  co_return co_await stream_->write(bytes, text);
}
Task<Result<>> WebSocket::write_text(std::string_view text) {
  return write(text, true);
}
Task<Result<>> WebSocket::write_binary(std::string_view bytes) {
  return write(bytes, false);
}

Task<Result<>> WebSocket::ping() {
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  co_return co_await stream_->ping();
}

Task<Result<>> WebSocket::close(std::uint16_t code, std::string_view reason) {
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  websocket::close_reason why(code);
  reason = reason.substr(0, why.reason.max_size());
  why.reason.assign(reason.data(), reason.size());
  co_return co_await stream_->close(why);
}

Task<Result<WebSocket>> Connection::upgrade(WebSocketOptions options) {
  PUNA_CO_CHECK(co_await check_writable());
  if (answer_ != Answer::none) co_return fail(Code::internal, "the request was answered already");
  Handshake handshake(beast::http::string_to_verb(request_.method), request_.target, http_1_0_ ? 10 : 11);
  for (const auto& [name, value] : request_.headers) handshake.insert(name, value);
  if (!websocket::is_upgrade(handshake)) co_return fail(Code::invalid_argument, "the request is not a WebSocket handshake");
  answer_ = Answer::upgraded;
  co_await stop_reading();
  if (broken_) co_return fail(Code::unavailable, "the client is gone");

  const std::string early(input_.readable());
  input_.consume(early.size());
  const Acceptance acceptance{handshake, early, request_.id, core_->options.header_deadline};
  auto accepted = channel_.is_tls() ? co_await accept(channel_.take_tls(), acceptance, std::move(options))
                                    : co_await accept(channel_.take_plain(), acceptance, std::move(options));
  if (!accepted) co_return fail(accepted.error());
  co_return WebSocket(std::move(*accepted));
}

}  // namespace puna::net
