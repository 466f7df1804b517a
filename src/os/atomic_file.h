// A file that appears under its name only when it is complete.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/error.h"
#include "os/descriptor.h"

namespace puna::os {

enum class Existing { replace, keep };  // keep: commit() fails with Code::already_exists rather than replace a file

// Written in the target's folder without a name, so that even a kill leaves nothing behind, and given its name once it is synced to disk.
// (File systems that cannot do that get a temporary name, ".puna-….tmp".) Without commit() it vanishes.
class AtomicFile {
 public:
  [[nodiscard]] static Result<AtomicFile> create(const std::filesystem::path& target, mode_t mode = 0600);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  [[nodiscard]] Result<> write(std::string_view bytes);
  [[nodiscard]] Result<> write(std::span<const std::byte> bytes);
  [[nodiscard]] Result<> commit(Existing existing = Existing::replace);
  // Without waiting for the disk: a power cut may leave other bytes under the name. For files that are checked when they are read.
  [[nodiscard]] Result<> commit_unsynced();

 private:
  [[nodiscard]] Result<> give_its_name(Existing existing);
  AtomicFile(std::filesystem::path target, std::filesystem::path temporary, UniqueFd descriptor);

  std::filesystem::path target_;
  std::filesystem::path temporary_;  // empty while there is none
  UniqueFd descriptor_;
};

// Makes creations, renames and removals inside `folder` survive a power cut.
[[nodiscard]] Result<> sync_folder(const std::filesystem::path& folder);

}  // namespace puna::os
