#include "os/places.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <system_error>

#include "os/descriptor.h"

namespace puna::os {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
// What a worker's socket name may take beside the folder ("worker-<26 letters>.sock").
constexpr std::size_t kSocketNameRoom = 40;

std::optional<std::filesystem::path> variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return std::nullopt;
  return std::filesystem::path(found->second);
}

bool sockets_fit(const std::filesystem::path& folder) {
  return folder.native().size() + 1 + kSocketNameRoom < sizeof(sockaddr_un::sun_path);
}

bool is_folder_of_ours(const std::filesystem::path& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid();
}

Places below(const std::filesystem::path& home) {
  return Places{.config_file = home / "config.toml",
                .data = home / "data",
                .state = home / "state",
                .cache = home / "cache",
                .runtime = home / "run"};
}

std::filesystem::path runtime_folder(const Environment& environment, const std::filesystem::path& state) {
  const auto xdg = variable(environment, "XDG_RUNTIME_DIR");
  if (xdg && xdg->is_absolute() && sockets_fit(*xdg / "puna") && is_folder_of_ours(*xdg)) return *xdg / "puna";
  if (sockets_fit(state / "run")) return state / "run";
  return fmt::format("/tmp/puna-{}", ::geteuid());
}

Result<> make_folder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), kFolderMode) == 0 || errno == EEXIST) return {};
  if (errno == ENOENT && path.has_parent_path() && path != path.parent_path()) {
    PUNA_CHECK(make_folder(path.parent_path()));
    if (::mkdir(path.c_str(), kFolderMode) == 0 || errno == EEXIST) return {};
  }
  return fail(errno_error(errno, fmt::format("cannot make the folder {}", path.string())));
}

void report_if_loose(const std::filesystem::path& path, mode_t wanted, std::vector<LooseMode>& loose) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return;
  const mode_t found = info.st_mode & 07777;
  if ((found & 0077) != 0) loose.push_back({path, found, wanted});
}

// The sockets' folder guards the daemon, and may lie in a folder where everybody can write.
Result<> check_runtime(const std::filesystem::path& path) {
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return fail(errno_error(errno, fmt::format("cannot open the folder {}", path.string())));
  struct stat info{};
  if (::fstat(folder.get(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", path.string())));
  if (info.st_uid != ::geteuid())
    return fail(Code::permission_denied,
                fmt::format("{} belongs to user {}, not to you: remove it or set PUNA_HOME", path.string(), info.st_uid));
  if ((info.st_mode & 0077) != 0)
    return fail(Code::permission_denied,
                fmt::format("{} is open to other users (mode {:04o}): run chmod 700 on it", path.string(), info.st_mode & 07777));
  return {};
}

}  // namespace

Result<> check_socket_path(const std::filesystem::path& path) {
  constexpr std::size_t kLimit = sizeof(sockaddr_un::sun_path) - 1;
  if (path.native().size() <= kLimit) return {};
  return fail(Code::invalid_argument,
              fmt::format("the socket path {} has {} bytes and the system allows {}: use a shorter PUNA_HOME or XDG_RUNTIME_DIR",
                          path.string(), path.native().size(), kLimit));
}

Result<Places> find_places(const Environment& environment) {
  if (const auto puna_home = variable(environment, "PUNA_HOME")) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(*puna_home, error);
    if (error) return fail(errno_error(error.value(), fmt::format("cannot find PUNA_HOME {}", puna_home->string())));
    const Places places = below(absolute.lexically_normal());
    PUNA_CHECK(check_socket_path(places.runtime / std::string(kSocketNameRoom, 'x')));
    return places;
  }
  const auto home = variable(environment, "HOME");
  const auto xdg = [&](const char* name, const char* fallback) -> Result<std::filesystem::path> {
    if (const auto set = variable(environment, name); set && set->is_absolute()) return *set / "puna";
    if (home && home->is_absolute()) return *home / fallback / "puna";
    return fail(Code::invalid_argument, fmt::format("neither HOME nor {} names a folder: set one of them, or PUNA_HOME", name));
  };
  Places places;
  PUNA_TRY(const auto config, xdg("XDG_CONFIG_HOME", ".config"));
  PUNA_TRY(places.data, xdg("XDG_DATA_HOME", ".local/share"));
  PUNA_TRY(places.state, xdg("XDG_STATE_HOME", ".local/state"));
  PUNA_TRY(places.cache, xdg("XDG_CACHE_HOME", ".cache"));
  places.config_file = config / "config.toml";
  places.runtime = runtime_folder(environment, places.state);
  return places;
}

Result<std::vector<LooseMode>> ensure_places(const Places& places) {
  std::vector<LooseMode> loose;
  for (const auto& folder :
       {places.config_file.parent_path(), places.data, places.state, places.cache, places.models(), places.partial_downloads()}) {
    PUNA_CHECK(make_folder(folder));
    report_if_loose(folder, kFolderMode, loose);
  }
  for (const auto& file : {places.config_file, places.database(), places.log_file()}) report_if_loose(file, kFileMode, loose);
  PUNA_CHECK(make_folder(places.runtime));
  PUNA_CHECK(check_runtime(places.runtime));
  return loose;
}

}  // namespace puna::os
