// A model file of this machine on its way into the library.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/units.h"

namespace puna::hub {

// Looked at, read once for its digest, and still its owner's.
class LocalFile {
 public:
  // Code::corrupt_data for what is no GGUF file; Code::conflict when it changes meanwhile.
  [[nodiscard]] static Result<LocalFile> open(const std::filesystem::path& path, const std::stop_token& stop,
                                              const std::function<void(Bytes done, Bytes total)>& progress);

  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] Bytes size() const { return Bytes(static_cast<std::uint64_t>(stamp_.size)); }
  // Code::conflict when the file is no longer what was read.
  [[nodiscard]] Result<> confirm() const;

 private:
  // What tells that a file has been written to or exchanged.
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  static Result<Stamp> stamp_of(const std::filesystem::path& path);

  std::filesystem::path path_;
  std::string sha256_;
  Stamp stamp_;
};

}  // namespace puna::hub
