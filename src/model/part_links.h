// Folders in which the parts of a split model lie under the names that llama.cpp looks for: model-00001-of-00003.gguf …
#pragma once

#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace puna::model {

// Relative symbolic links into the library's blobs; they can be made again at any time.
class PartLinks {
 public:
  explicit PartLinks(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Of the first part, after making what is missing. `contents` are the parts' SHA-256 in order.
  [[nodiscard]] Result<std::filesystem::path> first_part(std::span<const std::string> contents) const;
  // Removes what belongs to none of these models.
  [[nodiscard]] Result<> keep_only(const std::vector<std::vector<std::string>>& models) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace puna::model
