// Whole files. What belongs beside it: atomic_file.h (large files written piecewise), file_lock.h, mapped_file.h, place_file.h,
// safe_path.h (paths that come from outside), disk.h.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"
#include "os/descriptor.h"

namespace puna::os {

// A regular file opened for reading; folders, pipes and devices are refused without waiting for a writer.
[[nodiscard]] Result<UniqueFd> open_regular_file(const std::filesystem::path& path);

// The whole file; Code::too_large when it holds more than `limit`. Works for /proc files, whose size is not known beforehand.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, Bytes limit);

// Replaces the file in one step: whoever reads it, even after a crash, finds the old bytes or the new ones. A symbolic link stays
// one, and what it points to is replaced.
[[nodiscard]] Result<> write_file_atomic(const std::filesystem::path& path, std::string_view bytes, mode_t mode = 0600);

}  // namespace puna::os
