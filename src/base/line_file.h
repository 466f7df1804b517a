// A file of lines that rotates: bounded on disk, whole lines only, credentials masked.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace puna {

// Thread-safe. A line that cannot be written is lost.
class LineFile {
 public:
  // A full file becomes FILE.1, and so on up to `files` of them.
  [[nodiscard]] static Result<LineFile> open(const std::filesystem::path& file, Bytes file_size, std::size_t files);
  void write(std::string_view line);

 private:
  struct Sink;
  explicit LineFile(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  std::shared_ptr<Sink> sink_;
};

}  // namespace puna
