// Where the daemon answers.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/url.h"
#include "os/environment.h"
#include "os/places.h"

namespace puna::client {

// The user's own daemon on its Unix socket, or another one by URL.
struct Address {
  std::filesystem::path socket;
  std::optional<net::Url> url;  // instead of the socket

  [[nodiscard]] bool is_own() const { return !url.has_value(); }
  // For people: the socket's path, or the URL without credentials.
  [[nodiscard]] std::string text() const;
};

// The own daemon's socket, unless PUNA_HOST names another daemon: "http://box:17862", "box", "box:8080". A plain loopback address is
// the setting server.host, which the own daemon reads from the same variable.
[[nodiscard]] Result<Address> find_address(const os::Environment& environment, const os::Places& places);

// Whether something accepts connections on the socket right now.
[[nodiscard]] bool is_listening(const std::filesystem::path& socket);

}  // namespace puna::client
