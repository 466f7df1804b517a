#include "net/listeners.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include "base/text.h"
#include "net/port_holder.h"

namespace puna::net {

namespace {

namespace ip = asio::ip;
namespace local = asio::local;

Result<ip::address> parse_address(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (equal_ignoring_case(host, "localhost")) return ip::address(ip::address_v4::loopback());
  boost::system::error_code error;
  auto address = ip::make_address(std::string(host), error);
  if (error)
    return fail(Code::invalid_argument,
                fmt::format("'{}' is not an address to listen on; give an IP address or localhost", printable(host)));
  return address;
}

Error port_taken(std::uint16_t port) {
  const auto holder = find_port_holder(port);
  return {Code::conflict, holder ? fmt::format("port {} is taken by pid {} ({})", port, holder->pid, printable(holder->name))
                                 : fmt::format("port {} is taken by another process", port)};
}

// Whether a server answers at the socket: a file alone may be the leftover of a process that was killed.
bool somebody_listens(const local::stream_protocol::endpoint& endpoint) {
  asio::io_context context;
  local::stream_protocol::socket probe(context);
  boost::system::error_code error;
  probe.connect(endpoint, error);
  return !error;
}

ino_t inode_of(const std::filesystem::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

Result<> check_place(const std::filesystem::path& path) {
  if (path.native().size() >= sizeof(sockaddr_un::sun_path))
    return fail(Code::invalid_argument,
                fmt::format("the socket's path is longer than {} bytes: {}", sizeof(sockaddr_un::sun_path) - 1, path.string()));
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return fail(Code::conflict, fmt::format("{} is in the way and is not a socket", path.string()));
  if (somebody_listens(local::stream_protocol::endpoint(path.string())))
    return fail(Code::conflict, fmt::format("a server already answers at {}", path.string()));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail(errno_error(errno, "cannot remove the dead socket " + path.string()));
  return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::tcp(Io& io, std::string_view host, std::uint16_t port) {
  PUNA_TRY(const auto address, parse_address(host));
  const ip::tcp::endpoint wanted(address, port);
  std::unique_ptr<Listener> listener(new Listener(io));
  auto& acceptor = listener->acceptor_;
  boost::system::error_code error;
  acceptor.open(wanted.protocol(), error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error && address.is_v6()) acceptor.set_option(ip::v6_only(true), error);
  if (!error) acceptor.bind(wanted, error);
  if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
  if (error == asio::error::address_in_use) return fail(port_taken(port));
  if (error) return fail(errno_error(error.value(), fmt::format("cannot listen on {} port {}", printable(host), port)));
  const auto bound = acceptor.local_endpoint(error);
  if (error) return fail(errno_error(error.value(), "cannot tell the port that was bound"));
  ip::tcp::endpoint here;
  here.resize(bound.size());
  std::memcpy(here.data(), bound.data(), bound.size());
  listener->endpoint_ = {.address = address.to_string(), .port = here.port()};
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::unix_socket(Io& io, const std::filesystem::path& path) {
  PUNA_CHECK(check_place(path));
  std::unique_ptr<Listener> listener(new Listener(io));
  auto& acceptor = listener->acceptor_;
  boost::system::error_code error;
  acceptor.open(local::stream_protocol(), error);
  // Linux gives the file the mode of the descriptor, so that there is no moment in which others may connect.
  if (!error && ::fchmod(acceptor.native_handle(), 0600) != 0) return fail(errno_error(errno, "cannot protect the socket"));
  if (!error) acceptor.bind(local::stream_protocol::endpoint(path.string()), error);
  if (!error && ::chmod(path.c_str(), 0600) != 0) return fail(errno_error(errno, "cannot protect the socket " + path.string()));
  if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
  if (error) return fail(errno_error(error.value(), "cannot listen on " + path.string()));
  listener->path_ = path;
  listener->inode_ = inode_of(path);
  return listener;
}

Listener::~Listener() {
  close();
}

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (!path_.empty() && inode_of(path_) == inode_) ::unlink(path_.c_str());
  path_.clear();
}

Result<Peer> identify_peer(Socket& socket, bool unix_socket) {
  Peer peer{.unix_socket = unix_socket, .address = {}, .port = 0, .uid = {}, .pid = {}};
  if (unix_socket) {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
      return fail(errno_error(errno, "cannot tell who connected"));
    peer.uid = credentials.uid;
    peer.pid = credentials.pid;
    return peer;
  }
  boost::system::error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return fail(errno_error(error.value(), "cannot tell who connected"));
  ip::tcp::endpoint there;
  there.resize(remote.size());
  std::memcpy(there.data(), remote.data(), remote.size());
  peer.address = there.address().to_string();
  peer.port = there.port();
  return peer;
}

}  // namespace puna::net
