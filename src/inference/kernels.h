// ggml's kernels for this CPU: linked in (a native build), or one of the libraries beside the program (a released one).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace puna::inference {

inline constexpr std::string_view kNativeKernels = "native";

// Makes the kernels available and names them: "native", or the variant of those in `folder` that this CPU runs fastest ("haswell"). Call it
// before anything of llama.cpp, which would look for kernels by itself, in the current folder too. Only `folder` is looked at, and only
// its own regular files; no environment variable matters. Code::unavailable names the folder when nothing in it runs here. Not thread-safe.
[[nodiscard]] Result<std::string> load_kernels(const std::filesystem::path& folder);
// From lib/puna beside the folder of the program that runs.
[[nodiscard]] Result<std::string> load_kernels();

}  // namespace puna::inference
