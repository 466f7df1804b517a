// One owner at a time, across processes.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "os/descriptor.h"

namespace puna::os {

// Held until destroyed, or until the process ends in whatever way. The lock file stays behind; it holds the owner's process id.
class FileLock {
 public:
  // Never waits. Code::conflict names the process that holds the lock: "/x/puna.lock is held by puna (process 4711)".
  [[nodiscard]] static Result<FileLock> acquire(const std::filesystem::path& path);

 private:
  explicit FileLock(UniqueFd descriptor) : descriptor_(std::move(descriptor)) {}

  UniqueFd descriptor_;
};

}  // namespace puna::os
