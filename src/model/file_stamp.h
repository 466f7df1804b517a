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
  bool other_links = false;      // another name in the file system keeps the bytes
  bool operator==(const FileStamp&) const = default;
};

// Absent when there is no such regular file.
[[nodiscard]] Result<std::optional<FileStamp>> look_at(const std::filesystem::path& file);

}  // namespace puna::model
