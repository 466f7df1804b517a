// One connection to the hub double: requests come in whole, answers go out as they are told to, right or wrong.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <filesystem>
#include <functional>

#include "fakes/hub/fault.h"
#include "os/descriptor.h"

namespace puna::fakes {

// What ends the waits of all connections. Thread-safe.
class Gates {
 public:
  Gates();
  void stop() const;     // for ever
  void release() const;  // what is held goes on, until hold() is called
  void hold() const;
  [[nodiscard]] int stopped() const { return stop_.get(); }
  [[nodiscard]] int released() const { return release_.get(); }

 private:
  os::UniqueFd stop_, release_;  // readable when they are open
};

// How a line behaves: bytes a second on each connection (0: as many as go), and the time before an answer begins.
struct Pace {
  std::uint64_t rate = 0;
  int delay_ms = 0;
  int connect_ms = 0;  // once more before the first answer of a connection, for the handshakes
};
BOOST_DESCRIBE_STRUCT(Pace, (), (rate, delay_ms, connect_ms))

// Belongs to one thread; only end() may be called from another.
class Connection {
 public:
  Connection(boost::asio::ip::tcp::socket socket, const Gates& gates, const std::filesystem::path& folder);

  // False when the peer is gone or sends nonsense. A large body is kept in a file of its own.
  [[nodiscard]] bool read(Request& out);
  // `sent` is told of the bytes of the body as they go. False when the connection has ended.
  [[nodiscard]] bool write(const Request& request, const Answer& answer, const HubFault& fault, Pace pace,
                           const std::function<void(std::uint64_t)>& sent);
  void end();  // whatever is being waited for

 private:
  enum class Until : std::uint8_t { time, release };

  [[nodiscard]] bool read_body(void* parser, Request& out);
  [[nodiscard]] bool wait(std::chrono::nanoseconds time, Until until);  // false: the peer or the double is gone
  [[nodiscard]] bool send(std::string_view bytes);
  [[nodiscard]] bool send_slice(const Answer& answer, std::uint64_t from, std::uint64_t length, const HubFault& fault);
  [[nodiscard]] bool send_body(const Answer& answer, const HubFault& fault, std::uint64_t rate,
                               const std::function<void(std::uint64_t)>& sent);
  void reset();

  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  const Gates& gates_;
  const std::filesystem::path& folder_;
  bool first_ = true;
};

}  // namespace puna::fakes
