#include "client/address.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "base/text.h"
#include "os/descriptor.h"

namespace puna::client {
namespace {

constexpr std::uint16_t kDefaultPort = 17862;

bool is_setting_server_host(std::string_view text, const net::Url& url) {
  return !text.contains("://") && !url.port && url.path.empty() && url.is_loopback();
}

}  // namespace

std::string Address::text() const {
  return url ? url->printable() : socket.string();
}

Result<Address> find_address(const os::Environment& environment, const os::Places& places) {
  Address address{places.socket(), std::nullopt};
  const auto variable = environment.find("PUNA_HOST");
  const std::string_view text = variable == environment.end() ? std::string_view() : trim(variable->second);
  if (text.empty()) return address;
  auto url = net::Url::parse(text);
  if (!url) return fail(std::move(url).error().within("environment PUNA_HOST"));
  if (is_setting_server_host(text, *url)) return address;
  if (url->scheme != "http" && url->scheme != "https")
    return fail(Code::invalid_argument, fmt::format("environment PUNA_HOST: '{}' is not http or https", printable(url->scheme)));
  if (!url->port && url->scheme == "http") url->port = kDefaultPort;
  if (url->path == "/") url->path.clear();
  address.url = std::move(*url);
  return address;
}

bool is_listening(const std::filesystem::path& socket) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string& path = socket.native();
  if (path.size() >= sizeof name.sun_path) return false;
  std::memcpy(name.sun_path, path.data(), path.size());
  const os::UniqueFd descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!descriptor) return false;
  if (::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return true;
  return errno == EAGAIN;  // its queue of connections is full, so somebody listens
}

}  // namespace puna::client
