#include "net/websocket.h"

#include <boost/beast/core/buffered_read_stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "net/connection.h"

namespace puna::net {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

// A socket with the bytes that came behind the handshake in front.
struct EarlyBytes : beast::buffered_read_stream<Socket, beast::flat_buffer> {
  using buffered_read_stream::buffered_read_stream;
};

// Beast finds these two by name, to close the connection.
void teardown(beast::role_type role, EarlyBytes& stream, beast::error_code& error) {
  websocket::teardown(role, stream.next_layer(), error);
}
template <class H>
void async_teardown(beast::role_type role, EarlyBytes& stream, H&& handler) {
  websocket::async_teardown(role, stream.next_layer(), std::forward<H>(handler));
}

struct WebSocket::Stream {
  explicit Stream(Socket socket) : frames(std::move(socket)) {}

  websocket::stream<EarlyBytes, false> frames;
  WebSocketOptions options;

  [[nodiscard]] Error error_for(const boost::system::error_code& error) const {
    if (error == asio::error::operation_aborted) return cancelled_error();
    if (error == beast::error::timeout) return {Code::deadline_exceeded, "the peer was silent for " + format_duration(options.idle)};
    if (error == websocket::error::message_too_big)
      return {Code::too_large, "a message is larger than " + format_bytes(options.max_message)};
    return {Code::unavailable, "the WebSocket broke: " + error.message()};
  }

  Task<Result<>> write(std::string_view bytes, bool text) {
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
    frames.text(text);
    const auto [error, written] = co_await frames.async_write(asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
    if (error) co_return fail(error_for(error));
    co_return Result<>();
  }
};

WebSocket::WebSocket(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
WebSocket::WebSocket(WebSocket&&) noexcept = default;
WebSocket& WebSocket::operator=(WebSocket&&) noexcept = default;
WebSocket::~WebSocket() = default;

Task<Result<std::optional<WebSocketMessage>>> WebSocket::read() {
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  beast::flat_buffer buffer;
  const auto [error, bytes] = co_await stream_->frames.async_read(buffer, asio::as_tuple(asio::use_awaitable));
  if (error == websocket::error::closed) co_return std::nullopt;
  if (error) co_return fail(stream_->error_for(error));
  co_return WebSocketMessage{.text = stream_->frames.got_text(), .data = beast::buffers_to_string(buffer.data())};
}

Task<Result<>> WebSocket::write_text(std::string_view text) {
  return stream_->write(text, true);
}
Task<Result<>> WebSocket::write_binary(std::string_view bytes) {
  return stream_->write(bytes, false);
}

Task<Result<>> WebSocket::ping() {
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  const auto [error] = co_await stream_->frames.async_ping({}, asio::as_tuple(asio::use_awaitable));
  if (error) co_return fail(stream_->error_for(error));
  co_return Result<>();
}

Task<Result<>> WebSocket::close(std::uint16_t code, std::string_view reason) {
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
  websocket::close_reason why(code);
  reason = reason.substr(0, why.reason.max_size());
  why.reason.assign(reason.data(), reason.size());
  const auto [error] = co_await stream_->frames.async_close(why, asio::as_tuple(asio::use_awaitable));
  if (error) co_return fail(stream_->error_for(error));
  co_return Result<>();
}

Task<Result<WebSocket>> Connection::upgrade(WebSocketOptions options) {
  PUNA_CO_CHECK(co_await check_writable());
  if (answer_ != Answer::none) co_return fail(Code::internal, "the request was answered already");
  beast::http::request<beast::http::empty_body> handshake(beast::http::string_to_verb(request_.method), request_.target,
                                                          http_1_0_ ? 10 : 11);
  for (const auto& [name, value] : request_.headers) handshake.insert(name, value);
  if (!websocket::is_upgrade(handshake)) co_return fail(Code::invalid_argument, "the request is not a WebSocket handshake");
  answer_ = Answer::upgraded;
  co_await stop_reading();
  if (broken_) co_return fail(Code::unavailable, "the client is gone");

  auto stream = std::make_unique<WebSocket::Stream>(std::move(socket_));
  const auto early = input_.readable();
  auto& buffer = stream->frames.next_layer().buffer();
  buffer.commit(asio::buffer_copy(buffer.prepare(early.size()), asio::buffer(early)));
  input_.consume(early.size());
  stream->frames.set_option(websocket::stream_base::timeout{
      .handshake_timeout = core_->options.header_deadline, .idle_timeout = options.idle, .keep_alive_pings = true});
  stream->frames.set_option(websocket::stream_base::decorator([&](websocket::response_type& response) {
    response.set("X-Request-Id", request_.id);
    if (!options.protocol.empty()) response.set(beast::http::field::sec_websocket_protocol, options.protocol);
  }));
  stream->frames.read_message_max(options.max_message.count);
  stream->options = std::move(options);
  const auto [error] = co_await stream->frames.async_accept(handshake, asio::as_tuple(asio::use_awaitable));
  if (error) co_return fail(stream->error_for(error));
  co_return WebSocket(std::move(stream));
}

}  // namespace puna::net
