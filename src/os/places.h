// Where Puna keeps things.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "os/environment.h"

namespace puna::os {

// Absolute paths. XDG's folders, or all of them below PUNA_HOME.
struct Places {
  std::filesystem::path config_file;  // config.toml
  std::filesystem::path data;         // database, models, adapters
  std::filesystem::path state;        // logs
  std::filesystem::path cache;        // what can be fetched or computed again
  std::filesystem::path runtime;      // sockets; gone after a restart of the machine

  [[nodiscard]] std::filesystem::path database() const { return data / "puna.db"; }
  [[nodiscard]] std::filesystem::path models() const { return data / "models"; }
  [[nodiscard]] std::filesystem::path lock() const { return data / "puna.lock"; }  // beside what it protects
  [[nodiscard]] std::filesystem::path log_file() const { return state / "puna.log"; }
  [[nodiscard]] std::filesystem::path partial_downloads() const { return cache / "downloads"; }
  [[nodiscard]] std::filesystem::path socket() const { return runtime / "puna.sock"; }
};

// From PUNA_HOME, else XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_CACHE_HOME, XDG_RUNTIME_DIR, else HOME; relative XDG
// paths are ignored, as the specification asks. Without a usable XDG_RUNTIME_DIR the runtime folder lies below the state folder, or is
// /tmp/puna-<uid> when sockets would not fit there. Creates nothing.
[[nodiscard]] Result<Places> find_places(const Environment& environment);

// A folder that others may enter, or a file that others may read.
struct LooseMode {
  std::filesystem::path path;
  mode_t found = 0;
  mode_t wanted = 0;
};

// Creates the missing folders with mode 0700 and reports looser ones that were there before; they are left alone, except that a runtime
// folder which belongs to somebody else or which others may enter is refused (Code::permission_denied).
[[nodiscard]] Result<std::vector<LooseMode>> ensure_places(const Places& places);

// The system's limit is 107 bytes: Code::invalid_argument says so, and the way out.
[[nodiscard]] Result<> check_socket_path(const std::filesystem::path& path);

}  // namespace puna::os
