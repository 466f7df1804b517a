// Writes GGUF version 3.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gguf/types.h"

namespace puna::gguf {

// Metadata and tensors are declared first, in any order; write() then streams them out, so that a model need not fit in memory.
class Writer {
 public:
  using Emit = std::function<Result<>(std::span<const std::byte>)>;
  // Emits the tensor's bytes, in as many pieces as it likes; called once by each write(), in the order of declaration.
  using Produce = std::function<Result<>(const Emit& emit)>;

  // Replaces an earlier value of the same key. general.alignment, when set, must be a u32 and a power of two.
  void set(std::string key, Value value);
  // Code::invalid_argument for a shape that does not fit the type, a name that is too long, Code::already_exists for one used before.
  [[nodiscard]] Result<> add_tensor(std::string name, TensorType type, std::vector<std::uint64_t> shape, Produce produce);
  // `bytes` must live until write() has returned.
  [[nodiscard]] Result<> add_tensor(std::string name, TensorType type, std::vector<std::uint64_t> shape, std::span<const std::byte> bytes);

  // The file appears complete or not at all, readable by its owner only, and replaces one of that name.
  [[nodiscard]] Result<> write(const std::filesystem::path& path) const;

 private:
  struct Tensor {
    TensorInfo info;
    Produce produce;
  };
  [[nodiscard]] Result<std::uint64_t> alignment() const;
  [[nodiscard]] std::string header(std::uint64_t alignment) const;

  std::map<std::string, Value, std::less<>> metadata_;
  std::vector<Tensor> tensors_;
};

}  // namespace puna::gguf
