// Builds GGUF bytes by hand, right or wrong: for tests of what the writer would never write.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/types.h"

namespace puna::gguf {

struct RawTensor {
  std::string name = "a";
  std::vector<std::uint64_t> shape = {32};
  std::uint32_t type = 0;
  std::uint64_t offset = 0;
};

class RawFile {
 public:
  template <class T>
  RawFile& number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }
  RawFile& text(std::string_view value) {
    number<std::uint64_t>(value.size());
    bytes_ += value;
    return *this;
  }
  RawFile& preamble(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    bytes_ += "GGUF";
    return number(version).number(tensors).number(keys);
  }
  RawFile& key(std::string_view name, ValueType type) { return text(name).number(type); }
  RawFile& architecture(std::string_view name = "llama") { return key("general.architecture", ValueType::string).text(name); }
  RawFile& tensor(const RawTensor& tensor) {
    text(tensor.name).number(static_cast<std::uint32_t>(tensor.shape.size()));
    for (const auto dimension : tensor.shape) number(dimension);
    return number(tensor.type).number(tensor.offset);
  }
  // Pads to the alignment, then adds `size` bytes of tensor data.
  RawFile& data(std::size_t size, std::size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment + size);
    return *this;
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::span<const std::byte> span() const { return std::as_bytes(std::span(bytes_)); }

 private:
  std::string bytes_;
};

}  // namespace puna::gguf
