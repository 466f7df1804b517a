#include "fleet/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/text.h"
#include "os/descriptor.h"
#include "os/environment.h"
#include "os/file.h"

namespace puna::fleet {
namespace {

constexpr Bytes kLargestKey = kib(64);

std::string without_version(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  if (path.ends_with("/v1")) path.resize(path.size() - 3);
  return path;
}

Result<Secret> read_key(const Launch& launch) {
  if (!launch.key_env.empty()) {
    const auto environment = os::current_environment();
    const auto found = environment.find(launch.key_env);
    if (found == environment.end() || trim(found->second).empty())
      return fail(Code::unauthenticated,
                  fmt::format("the daemon has no environment variable {}, which should hold the key", launch.key_env));
    return Secret(std::string(trim(found->second)));
  }
  if (launch.key_file.empty()) return Secret();
  auto text = os::read_file(launch.key_file, kLargestKey);
  if (!text) return fail(std::move(text).error().within("the key"));
  Secret key{std::string(trim(*text))};
  if (key.empty()) return fail(Code::unauthenticated, fmt::format("{} holds no key", launch.key_file));
  return key;
}

}  // namespace

net::HttpRequest Endpoint::request(std::string method, std::string_view target) const {
  if (!socket.empty()) return net::HttpRequest::to_socket(socket, std::move(method), target);
  net::HttpRequest out;
  out.method = std::move(method);
  out.url = url;
  const auto mark = target.find('?');
  out.url.path += target.substr(0, mark);
  if (mark != std::string_view::npos) out.url.query = std::string(target.substr(mark + 1));
  out.follow_redirects = false;  // a key goes to the address that the profile names
  if (!key.empty()) out.headers.add("Authorization", fmt::format("Bearer {}", key.reveal()));
  return out;
}

Result<Endpoint> remote_endpoint(const Launch& launch) {
  Endpoint out;
  PUNA_TRY(out.url, net::Url::parse(launch.url));
  out.url.path = without_version(std::move(out.url.path));
  PUNA_TRY(out.key, read_key(launch));
  out.served_name = launch.served_name;
  return out;
}

Result<std::uint16_t> free_port() {
  const os::UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return fail(errno_error(errno, "cannot make a socket"));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(probe.get(), plain, size) != 0 || ::getsockname(probe.get(), plain, &size) != 0)
    return fail(errno_error(errno, "cannot find a free port"));
  return ntohs(address.sin_port);
}

}  // namespace puna::fleet
