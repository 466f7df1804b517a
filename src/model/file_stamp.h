// What tells, at the cost of one system call, that a file is still the one that was read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/error.h"

namespace puna::model {

struct FileStamp {
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;  // since 1970
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t links = 1;  // names in the file system, all of which keep the bytes
  bool operator==(const FileStamp&) const = default;
};

// Absent when there is no such regular file.
[[nodiscard]] Result<std::optional<FileStamp>> look_at(const std::filesystem::path& file);

}  // namespace puna::model
