#include "net/channel.h"

#include <algorithm>

namespace puna::net {

namespace {
constexpr std::size_t kRecord = 16 << 10;  // the largest of TLS
}

Task<boost::system::error_code> Channel::handshake() {
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, asio::as_tuple(asio::deferred));
  co_return error;
}

Task<std::pair<boost::system::error_code, std::size_t>> Channel::write_sealed(std::span<asio::const_buffer> buffers) {
  asio::const_buffer next = buffers.front();
  if (buffers.size() > 1 && next.size() < kRecord) {
    gathered_.clear();
    for (const auto& buffer : buffers) {
      const auto room = kRecord - gathered_.size();
      gathered_.append(static_cast<const char*>(buffer.data()), std::min(room, buffer.size()));
      if (gathered_.size() == kRecord) break;
    }
    next = asio::buffer(gathered_);
  }
  const auto [error, written] = co_await tls_->async_write_some(next, asio::as_tuple(asio::deferred));
  co_return std::pair(error, written);
}

Task<void> Channel::say_end() {
  if (tls_) {
    SSL_set_shutdown(tls_->native_handle(), SSL_RECEIVED_SHUTDOWN);  // the client's own end is not waited for
    co_await tls_->async_shutdown(asio::as_tuple(asio::deferred));
    co_return;
  }
  boost::system::error_code ignored;  // the client is gone then
  plain_->shutdown(Socket::shutdown_send, ignored);
}

Task<void> Channel::discard(std::size_t limit) {
  std::array<char, 4096> scratch{};
  for (std::size_t discarded = 0; discarded < limit;) {
    const auto [error, bytes] = co_await socket().async_read_some(asio::buffer(scratch), asio::as_tuple(asio::deferred));
    if (error) co_return;
    discarded += bytes;
  }
}

}  // namespace puna::net
