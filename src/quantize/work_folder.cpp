#include "quantize/work_folder.h"

#include <fmt/format.h>

#include <system_error>

#include "base/id.h"
#include "base/log.h"

namespace puna::quantize {

Result<WorkFolder> WorkFolder::create(const std::filesystem::path& parent) {
  std::error_code error;
  const auto path = parent / new_ulid();
  std::filesystem::create_directories(path, error);
  if (!error) std::filesystem::permissions(parent, std::filesystem::perms::owner_all, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot make {}", path.string())));
  return WorkFolder(path);
}

WorkFolder::~WorkFolder() {
  if (path_.empty()) return;
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error) log::warning("quantize", "leftovers cannot be removed", {{"folder", path_.string()}, {"error", error.message()}});
}

}  // namespace puna::quantize
