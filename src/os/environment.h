// Environment variables as a value.
#pragma once

#include <map>
#include <string>

namespace puna::os {

using Environment = std::map<std::string, std::string>;

[[nodiscard]] Environment current_environment();

// What a child may know: PATH HOME LANG LC_* TMPDIR XDG_*. Everything else, keys and tokens above all, is left out.
[[nodiscard]] Environment child_environment(const Environment& ours = current_environment());

}  // namespace puna::os
