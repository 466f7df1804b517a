// A file that is memory only.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "os/descriptor.h"

namespace puna::os {

// For code that wants to read or write a file by its path, with bytes that must not touch a disk. Gone with the object.
class MemoryFile {
 public:
  [[nodiscard]] static Result<MemoryFile> create();

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  // Opens it anew, in this process only.
  [[nodiscard]] std::filesystem::path path() const;

 private:
  explicit MemoryFile(UniqueFd descriptor) : descriptor_(std::move(descriptor)) {}

  UniqueFd descriptor_;
};

}  // namespace puna::os
