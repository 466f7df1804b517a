// Tensors as Hugging Face's libraries keep them. Source of the format: the safetensors project's README (8 bytes of length, little endian;
// a JSON object that says where each tensor lies; the tensors).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace puna::safetensors {

struct Tensor {
  std::string name;
  std::string type;                  // "F32"; one that this build does not know is listed all the same
  std::vector<std::uint64_t> shape;  // the slowest running dimension first; empty for one number
  std::uint64_t begin = 0;           // of its bytes, from the start of the data
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t elements() const;
};

// Bits of one number of the type; zero for a type that this build does not know.
[[nodiscard]] std::uint32_t bits_of(std::string_view type);

// Whether a file that begins with these bytes (nine are enough) can be one of this format.
[[nodiscard]] bool begins_like_safetensors(std::span<const std::byte> beginning);

class Header {
 public:
  // `beginning` is the beginning of a file of `file_size` bytes, the header's at least. For any bytes whatever: each fault is
  // Code::corrupt_data and names the thing. Tensors lie one after the other and fill the file, or it was cut off.
  [[nodiscard]] static Result<Header> parse(std::span<const std::byte> beginning, Bytes file_size);
  [[nodiscard]] static Result<Header> read_file(const std::filesystem::path& path);

  [[nodiscard]] std::span<const Tensor> tensors() const { return tensors_; }  // as they lie in the file
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  [[nodiscard]] std::uint64_t data_offset() const { return data_offset_; }  // from the start of the file

 private:
  std::vector<Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
  std::uint64_t data_offset_ = 0;
};

}  // namespace puna::safetensors
