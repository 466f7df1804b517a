#include "os/disk.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <system_error>

namespace puna::os {

Result<DiskSpace> disk_space(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path present = std::filesystem::absolute(path, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot find {}", path.string())));
  struct statvfs info{};
  while (::statvfs(present.c_str(), &info) != 0) {
    const int reason = errno;
    if (reason == EINTR) continue;
    if ((reason != ENOENT && reason != ENOTDIR) || present == present.parent_path())
      return fail(errno_error(reason, fmt::format("cannot tell the free space at {}", path.string())));
    present = present.parent_path();
  }
  const auto block = static_cast<std::uint64_t>(info.f_frsize);
  return DiskSpace{.total = Bytes(block * info.f_blocks), .available = Bytes(block * info.f_bavail)};
}

Result<> require_disk_space(const std::filesystem::path& path, Bytes needed) {
  PUNA_TRY(const DiskSpace space, disk_space(path));
  if (space.available < needed)
    return fail(Code::disk_full, fmt::format("{} needs {}, and {} is free: make room or choose another folder", path.string(),
                                             format_bytes(needed), format_bytes(space.available)));
  return {};
}

}  // namespace puna::os
