// A client's byte stream: its socket, or TLS over it.
#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "net/server_core.h"
#include "net/tls.h"

namespace puna::net {

using TlsStream = asio::ssl::stream<Socket>;

class Channel {
 public:
  // Without an identity the bytes are plain.
  Channel(Socket socket, const std::shared_ptr<TlsIdentity>& identity) {
    if (identity)
      tls_.emplace(std::move(socket), identity->context());  // OpenSSL keeps what it needs of the context
    else
      plain_.emplace(std::move(socket));
  }

  [[nodiscard]] bool is_tls() const { return tls_.has_value(); }
  [[nodiscard]] Socket& socket() { return tls_ ? tls_->next_layer() : *plain_; }
  [[nodiscard]] Socket take_plain() { return std::move(*plain_); }
  [[nodiscard]] TlsStream take_tls() { return std::move(*tls_); }

  template <class Handler>
  void async_read_some(asio::mutable_buffer room, Handler&& handler) {
    if (tls_)
      tls_->async_read_some(room, std::forward<Handler>(handler));
    else
      plain_->async_read_some(room, std::forward<Handler>(handler));
  }

  // Of TLS; the caller bounds them in time by cancelling the socket.
  [[nodiscard]] Task<boost::system::error_code> handshake();
  [[nodiscard]] Task<std::pair<boost::system::error_code, std::size_t>> write_sealed(std::span<asio::const_buffer> buffers);
  // Tells the client that nothing more comes, so that it can tell an end from a cut.
  [[nodiscard]] Task<void> say_end();
  // Throws away what still comes, unread, until the client ends or the socket is cancelled.
  [[nodiscard]] Task<void> discard(std::size_t limit);

 private:
  std::optional<Socket> plain_;
  std::optional<TlsStream> tls_;
  std::string gathered_;  // small pieces that go out as one record
};

}  // namespace puna::net
