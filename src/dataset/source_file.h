// A file of rows, opened: what is compressed lies unpacked in a file that has no name and goes with its object.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "base/units.h"
#include "os/descriptor.h"

namespace puna::dataset {

struct UnpackLimits {
  Bytes most = gib(64);          // of unpacked bytes
  Bytes leave_free = mib(512);   // on the disk that takes them
  std::filesystem::path folder;  // where they lie; empty: the system's folder for temporary files
};

class SourceFile {
 public:
  // gzip is recognised by its first bytes. Refused by name: UTF-16, other compressions, Parquet and archives (Code::unsupported); what
  // unpacks to more than the limits (Code::too_large, Code::disk_full); a gzip file that is damaged or cut off (Code::corrupt_data).
  [[nodiscard]] static Result<SourceFile> open(const std::filesystem::path& path, const UnpackLimits& limits, const std::stop_token& stop);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool compressed() const { return compressed_; }
  [[nodiscard]] Bytes size() const { return size_; }                      // as on disk
  [[nodiscard]] std::uint64_t text_begin() const { return text_begin_; }  // behind a byte order mark
  [[nodiscard]] std::uint64_t text_end() const { return text_end_; }
  // SHA-256 of the bytes on disk.
  [[nodiscard]] Result<std::string> digest(const std::stop_token& stop) const;
  // Up to `size` bytes at `offset` of the unpacked text; fewer at its end. Thread-safe.
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, char* into, std::size_t size) const;
  // Code::conflict when somebody changed the file since it was opened.
  [[nodiscard]] Result<> unchanged() const;

  // The same rows written anew (nested SQuAD as one row a line): reading goes there from now on.
  void read_from(os::UniqueFd text, std::uint64_t size);

 private:
  SourceFile() = default;
  Result<> look_at_beginning();
  Result<> unpack(const UnpackLimits& limits, const std::stop_token& stop);

  std::string name_;
  os::UniqueFd file_;
  os::UniqueFd text_;  // unpacked; absent: the file itself
  Bytes size_;
  std::int64_t changed_seconds_ = 0, changed_nanoseconds_ = 0;
  bool compressed_ = false;
  std::uint64_t text_begin_ = 0, text_end_ = 0;
};

// A file without a name in `folder` (or the system's folder for temporary files).
[[nodiscard]] Result<os::UniqueFd> unnamed_file(const std::filesystem::path& folder);

// Unpacks one or more gzip members. `write` gets the bytes piece by piece.
[[nodiscard]] Result<> gunzip(const std::function<Result<std::size_t>(char* into, std::size_t size)>& read,
                              const std::function<Result<>(std::string_view)>& write, Bytes most, const std::stop_token& stop);

}  // namespace puna::dataset
