#include "os/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "os/descriptor.h"
#include "os/temporary_folder.h"

namespace puna::os {
namespace {

// Plays systemd: what arrives at an address, "/path" or "@name".
class Systemd {
 public:
  explicit Systemd(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Systemd() { ::unsetenv("NOTIFY_SOCKET"); }
  std::string received() const {
    char buffer[256];
    const ssize_t got = ::recv(socket_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    return got < 0 ? "" : std::string(buffer, static_cast<std::size_t>(got));
  }

 private:
  UniqueFd socket_;
};

TEST(NotifySystemd, reaches_a_socket_with_a_path) {
  const auto folder = TemporaryFolder::create().value();
  const Systemd systemd((folder.path() / "notify").string());
  ASSERT_TRUE(notify_systemd("READY=1\nSTATUS=serving"));
  EXPECT_EQ(systemd.received(), "READY=1\nSTATUS=serving");
}

TEST(NotifySystemd, reaches_an_abstract_socket) {
  const Systemd systemd(fmt::format("@puna-test-{}", ::getpid()));
  ASSERT_TRUE(notify_systemd("STOPPING=1"));
  EXPECT_EQ(systemd.received(), "STOPPING=1");
}

TEST(NotifySystemd, does_nothing_where_nobody_asked) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(notify_systemd("READY=1"));
}

TEST(NotifySystemd, says_so_when_nobody_listens) {
  for (const auto* address : {"/no/such/socket", "relative", "@puna-nobody-listens-here"}) {
    ::setenv("NOTIFY_SOCKET", address, 1);
    EXPECT_FALSE(notify_systemd("READY=1")) << address;
  }
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace puna::os
