// What the API may know of, and ask from, the process that serves it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "net/http_server.h"

namespace puna::api {

enum class Phase { starting, ready, draining };

class Host {
 public:
  virtual ~Host() = default;
  [[nodiscard]] virtual Phase phase() const = 0;
  [[nodiscard]] virtual net::ServerStats stats() const = 0;
  [[nodiscard]] virtual WallTime started() const = 0;
  [[nodiscard]] virtual bool on_demand() const = 0;
  [[nodiscard]] virtual std::string socket() const = 0;
  [[nodiscard]] virtual std::optional<std::string> tcp() const = 0;
  [[nodiscard]] virtual bool tls() const = 0;  // TCP speaks TLS
  // Folders with loose modes and the like.
  [[nodiscard]] virtual std::vector<std::string> problems() const = 0;
  // Reads settings and certificate anew, as SIGHUP makes it.
  virtual void reload() = 0;
  // Ends the process as SIGTERM would; returns at once.
  virtual void request_shutdown() = 0;
};

}  // namespace puna::api
