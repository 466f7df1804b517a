// The end of a growing text file, and what is added to it; rotation is followed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "os/descriptor.h"

namespace puna::os {

class FileTail {
 public:
  // Positions at the last `lines` lines. A file that does not exist yet is waited for; its folder must exist.
  [[nodiscard]] static Result<FileTail> open(const std::filesystem::path& file, std::size_t lines);

  // The complete lines since the last call (first: the tail), without their line breaks; a line that is still being written is kept
  // back. Reads files: not for the network thread.
  [[nodiscard]] Result<std::vector<std::string>> read();
  // Becomes readable when there may be more to read(); for poll and asio. Stays ours.
  [[nodiscard]] int descriptor() const { return watch_.get(); }

 private:
  FileTail(std::filesystem::path file, UniqueFd watch) : file_(std::move(file)), watch_(std::move(watch)) {}
  [[nodiscard]] Result<> reopen();
  [[nodiscard]] Result<> take_rest();
  [[nodiscard]] Result<> skip_to_tail(std::size_t lines);
  [[nodiscard]] bool replaced() const;

  std::filesystem::path file_;
  UniqueFd watch_;  // inotify on the folder
  UniqueFd open_file_;
  ino_t inode_ = 0;
  std::string pending_;
};

}  // namespace puna::os
