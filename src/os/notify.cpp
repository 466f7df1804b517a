#include "os/notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "os/descriptor.h"

namespace puna::os {

Result<> notify_systemd(std::string_view state) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || *name == '\0') return {};
  const std::string_view target(name);
  sockaddr_un address{};
  if ((target[0] != '/' && target[0] != '@') || target.size() >= sizeof(address.sun_path))
    return fail(Code::invalid_argument, fmt::format("NOTIFY_SOCKET is no socket address: '{}'", target));
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, target.data(), target.size());
  if (target[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + target.size());

  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail(errno_error(errno, "cannot make a socket for systemd"));
  const ssize_t sent =
      ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
  if (sent != static_cast<ssize_t>(state.size())) return fail(errno_error(errno, fmt::format("cannot notify systemd at {}", target)));
  return {};
}

}  // namespace puna::os
