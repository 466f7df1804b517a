// A WebSocket (RFC 6455) that an HTTP request was upgraded to.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"
#include "net/io.h"

namespace puna::net {

struct WebSocketOptions {
  Bytes max_message = mib(16);
  Milliseconds idle{60'000};  // a peer silent for half of it is pinged, for all of it is gone
  std::string protocol;       // answered as Sec-WebSocket-Protocol when not empty
};

struct WebSocketMessage {
  bool text = true;  // else binary
  std::string data;
};

// Belongs to the handler that upgraded; dropping it closes the connection. Network thread; one read and one write at a time.
class WebSocket {
 public:
  WebSocket(WebSocket&&) noexcept;
  WebSocket& operator=(WebSocket&&) noexcept;
  ~WebSocket();

  // The next message; nullopt when the peer closed. Pings are answered, and a vanished peer noticed, while a read is under way.
  [[nodiscard]] Task<Result<std::optional<WebSocketMessage>>> read();
  [[nodiscard]] Task<Result<>> write_text(std::string_view text);
  [[nodiscard]] Task<Result<>> write_binary(std::string_view bytes);
  [[nodiscard]] Task<Result<>> ping();
  [[nodiscard]] Task<Result<>> close(std::uint16_t code = 1000, std::string_view reason = "");

  struct Stream;

 private:
  friend class Connection;
  [[nodiscard]] Task<Result<>> write(std::string_view bytes, bool text);
  explicit WebSocket(std::unique_ptr<Stream> stream);
  std::unique_ptr<Stream> stream_;
};

}  // namespace puna::net
