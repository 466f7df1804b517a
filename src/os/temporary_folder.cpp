#include "os/temporary_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/id.h"

namespace puna::os {

Result<TemporaryFolder> TemporaryFolder::create(const std::filesystem::path& parent) {
  std::error_code error;
  std::filesystem::path path = parent.empty() ? std::filesystem::temp_directory_path(error) : parent;
  if (error) return fail(errno_error(error.value(), "cannot find the folder for temporary files"));
  path /= "puna-" + new_ulid();
  if (::mkdir(path.c_str(), 0700) != 0) return fail(errno_error(errno, fmt::format("cannot make the folder {}", path.string())));
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, std::filesystem::path())) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // what cannot be removed is left to the system's own cleaning
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace puna::os
