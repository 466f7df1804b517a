// Room on the disk.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "base/units.h"

namespace puna::os {

struct DiskSpace {
  Bytes total;
  Bytes available;  // to this user
};
// Of the file system that holds `path`, or would hold it: parts that do not exist yet are passed over.
[[nodiscard]] Result<DiskSpace> disk_space(const std::filesystem::path& path);

// Code::disk_full with both figures unless `needed` bytes fit where `path` is or will be.
[[nodiscard]] Result<> require_disk_space(const std::filesystem::path& path, Bytes needed);

}  // namespace puna::os
