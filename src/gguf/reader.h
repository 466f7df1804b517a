// Reads the header of a GGUF file (versions 2 and 3, little endian): metadata and the list of tensors, never tensor data.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "gguf/types.h"

namespace puna::gguf {

class Header;

// The prefix ends inside the header: try again with at least this many bytes from the start of the file.
struct NeedsMore {
  std::uint64_t bytes = 0;
};
using ParseOutcome = std::variant<Header, NeedsMore>;

// For any bytes whatever: no abort, no read out of bounds, memory in proportion to the bytes given. Every fault is
// Code::corrupt_data and names the thing: "key 'general.name': a string of 12 GiB in a file of 4 KiB".
class Header {
 public:
  // `prefix` is the beginning of a file of `file_size` bytes; nothing beyond the prefix is looked at.
  [[nodiscard]] static Result<ParseOutcome> parse(std::span<const std::byte> prefix, Bytes file_size);
  [[nodiscard]] static Result<Header> read_file(const std::filesystem::path& path);

  [[nodiscard]] std::uint32_t version() const { return version_; }
  [[nodiscard]] const std::map<std::string, Value, std::less<>>& metadata() const { return metadata_; }
  [[nodiscard]] std::span<const TensorInfo> tensors() const { return tensors_; }
  [[nodiscard]] std::uint64_t alignment() const { return alignment_; }
  [[nodiscard]] std::uint64_t data_offset() const { return data_offset_; }  // from the start of the file
  [[nodiscard]] Bytes file_size() const { return file_size_; }

  // Null when there is no such key.
  [[nodiscard]] const Value* find(std::string_view key) const;
  // Absent when there is no such key, or when its value is of another kind (or, for integers, negative).
  [[nodiscard]] std::optional<std::string_view> text(std::string_view key) const;
  [[nodiscard]] std::optional<std::uint64_t> integer(std::string_view key) const;
  [[nodiscard]] std::optional<double> number(std::string_view key) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
  // Zero when there is no such key, or when it is not an array.
  [[nodiscard]] std::size_t array_size(std::string_view key) const;

 private:
  friend class HeaderParser;

  std::uint32_t version_ = 0;
  std::map<std::string, Value, std::less<>> metadata_;
  std::vector<TensorInfo> tensors_;
  std::uint64_t alignment_ = kDefaultAlignment;
  std::uint64_t data_offset_ = 0;
  Bytes file_size_;
};

}  // namespace puna::gguf
