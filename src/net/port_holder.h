// Who listens on a TCP port of this machine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace puna::net {

struct PortHolder {
  pid_t pid = 0;
  std::string name;  // "ollama"
};

// From /proc; nullopt when nobody listens, or when the process belongs to a user whose descriptors we may not see.
[[nodiscard]] std::optional<PortHolder> find_port_holder(std::uint16_t port);

}  // namespace puna::net
