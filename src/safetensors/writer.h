// Writes safetensors files.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "safetensors/header.h"

namespace puna::safetensors {

class Writer {
 public:
  // Replaces an earlier value of the same key.
  void note(std::string key, std::string value);
  // The numbers must live until write() has returned. Code::invalid_argument when they are not as many as the shape says,
  // Code::already_exists for a name used before.
  [[nodiscard]] Result<> add(std::string name, std::vector<std::uint64_t> shape, std::span<const float> numbers);

  // The file appears complete or not at all, readable by its owner only, and replaces one of that name. Tensors lie in the order of their
  // names, and the same tensors make the same bytes.
  [[nodiscard]] Result<> write(const std::filesystem::path& path) const;

 private:
  struct Entry {
    std::vector<std::uint64_t> shape;
    std::span<const float> numbers;
  };
  std::map<std::string, std::string> metadata_;
  std::map<std::string, Entry, std::less<>> tensors_;
};

}  // namespace puna::safetensors
