// What a saved state depends on beside its tokens.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "worker/arguments.h"
#include "worker/load_plan.h"

namespace puna::worker {

// A file's content for all practical purposes: the hash that its name states, else device, number, size and time of its last change.
[[nodiscard]] Result<std::string> file_identity(const std::filesystem::path& file);

// 64 hexadecimal digits of the model's files, the template, the slots and their context with its types, what computes, and llama.cpp's
// version: a state of another key is never loaded. `engine`: llama.cpp's version and the names of its kernels and devices.
[[nodiscard]] Result<std::string> state_key(const ServeArguments& arguments, const LoadPlan& plan, std::string_view engine);

}  // namespace puna::worker
