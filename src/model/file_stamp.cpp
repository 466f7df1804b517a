#include "model/file_stamp.h"

#include <sys/stat.h>

#include <cerrno>

namespace puna::model {

Result<std::optional<FileStamp>> look_at(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileStamp>{};
    return fail(errno_error(errno, "cannot look at " + file.string()));
  }
  if (!S_ISREG(status.st_mode)) return std::optional<FileStamp>{};
  return FileStamp{.size = status.st_size,
                   .modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
                   .device = status.st_dev,
                   .inode = status.st_ino,
                   .links = static_cast<std::int64_t>(status.st_nlink)};
}

}  // namespace puna::model
