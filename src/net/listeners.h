// Sockets that a server listens on.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "net/server_core.h"

namespace puna::net {

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol, asio::io_context::executor_type>;

// A listening socket; a Unix socket's file goes with it, unless another server has put its own in the place.
class Listener {
 public:
  static Result<std::unique_ptr<Listener>> tcp(Io& io, std::string_view host, std::uint16_t port);
  static Result<std::unique_ptr<Listener>> unix_socket(Io& io, const std::filesystem::path& path);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] Acceptor& acceptor() { return acceptor_; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }  // of TCP
  [[nodiscard]] bool is_unix() const { return !path_.empty(); }
  [[nodiscard]] Security security() const { return security_; }
  void set_security(Security security) { security_ = security; }
  void close();

 private:
  explicit Listener(Io& io) : acceptor_(io.context().get_executor()) {}

  Acceptor acceptor_;
  Endpoint endpoint_;
  Security security_ = Security::plain;
  std::filesystem::path path_;
  ino_t inode_ = 0;
};

// Who connected; a Unix socket's peer is identified by the kernel.
[[nodiscard]] Result<Peer> identify_peer(Socket& socket, bool unix_socket);

}  // namespace puna::net
