// Names that come from outside (hubs, archives, requests), turned into paths that cannot leave their folder.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace puna::os {

// `relative` (parts separated by '/') as a path below the existing folder `root`, with symbolic links resolved. Code::invalid_argument
// for what is absolute, climbs with "..", leaves through a link, hides a separator in another encoding, is no clean UTF-8, or is a
// name that some file system or terminal treats specially. Nothing is created; what is named need not exist.
[[nodiscard]] Result<std::filesystem::path> resolve_below(const std::filesystem::path& root, std::string_view relative);

// The rule for one part of such a path ("model.gguf"), for whoever needs a name without a folder.
[[nodiscard]] Result<> check_file_name(std::string_view name);

}  // namespace puna::os
