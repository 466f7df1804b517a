// The numbers in a safetensors file.
#pragma once

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "os/descriptor.h"
#include "safetensors/header.h"

namespace puna::safetensors {

// Read, not mapped: such files come from strangers, and may change.
class File {
 public:
  [[nodiscard]] static Result<File> open(const std::filesystem::path& path);

  [[nodiscard]] const Header& header() const { return header_; }
  // All numbers of one of the header's tensors, from F64, F32, F16 or BF16; Code::unsupported names other types.
  [[nodiscard]] Result<std::vector<float>> floats(const Tensor& tensor) const;

 private:
  File(Header header, os::UniqueFd file) : header_(std::move(header)), file_(std::move(file)) {}

  Header header_;
  os::UniqueFd file_;
};

}  // namespace puna::safetensors
