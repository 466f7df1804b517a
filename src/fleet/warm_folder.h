// Where the conversations with a model are saved.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "base/units.h"

namespace puna::fleet {

// Below `root`, one for each model file: named by the hash that the library's files have in their names, else by the file's path.
[[nodiscard]] Result<std::filesystem::path> warm_folder(const std::filesystem::path& root, const std::filesystem::path& model);
// Of all models. Blocks shortly.
[[nodiscard]] Bytes warm_bytes(const std::filesystem::path& root);
// What was saved of conversations with this model is gone. Blocks shortly.
[[nodiscard]] Result<> forget_conversations(const std::filesystem::path& root, const std::filesystem::path& model);

}  // namespace puna::fleet
