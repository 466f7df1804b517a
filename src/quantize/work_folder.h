// Where a new model file grows.
#pragma once

#include <filesystem>
#include <utility>

#include "base/error.h"

namespace puna::quantize {

// A folder of one job's or one plan's own; what is in it goes with it.
class WorkFolder {
 public:
  [[nodiscard]] static Result<WorkFolder> create(const std::filesystem::path& parent);
  WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder();

  [[nodiscard]] std::filesystem::path output() const { return path_ / "model.gguf"; }
  [[nodiscard]] std::filesystem::path log() const { return path_ / "log"; }

 private:
  explicit WorkFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace puna::quantize
