// A folder that lasts as long as its object: for tests, and for work that must leave nothing behind.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace puna::os {

class TemporaryFolder {
 public:
  // Below the system's folder for temporary files, or below `parent`; nobody else can enter it.
  [[nodiscard]] static Result<TemporaryFolder> create(const std::filesystem::path& parent = {});
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

}  // namespace puna::os
