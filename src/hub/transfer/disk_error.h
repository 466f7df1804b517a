// Why a disk refused, in words that tell what to do.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace puna::hub::transfer {

// For errno after an operation ("write", "sync") on the file: full disk, used-up quota, read-only or failing disk, file too large for its
// file system are told apart. The first two are Code::disk_full.
[[nodiscard]] Error disk_error(int error_number, std::string_view operation, const std::filesystem::path& file);

}  // namespace puna::hub::transfer
