#include "gguf/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstring>
#include <type_traits>

#include "base/text.h"
#include "os/atomic_file.h"

namespace puna::gguf {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

template <class T>
void append_number(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

void append_text(std::string& out, std::string_view text) {
  append_number<std::uint64_t>(out, text.size());
  out += text;
}

template <class T>
constexpr ValueType kTypeOf = std::same_as<T, std::uint8_t>    ? ValueType::u8
                              : std::same_as<T, std::int8_t>   ? ValueType::i8
                              : std::same_as<T, std::uint16_t> ? ValueType::u16
                              : std::same_as<T, std::int16_t>  ? ValueType::i16
                              : std::same_as<T, std::uint32_t> ? ValueType::u32
                              : std::same_as<T, std::int32_t>  ? ValueType::i32
                              : std::same_as<T, float>         ? ValueType::f32
                              : std::same_as<T, bool>          ? ValueType::boolean
                              : std::same_as<T, std::string>   ? ValueType::string
                              : std::same_as<T, std::uint64_t> ? ValueType::u64
                              : std::same_as<T, std::int64_t>  ? ValueType::i64
                                                               : ValueType::f64;

template <class T>
void append_element(std::string& out, const T& value) {
  if constexpr (std::same_as<T, std::string>)
    append_text(out, value);
  else if constexpr (std::same_as<T, bool>)
    out += value ? '\1' : '\0';
  else
    append_number(out, value);
}

template <class T>
void append_value(std::string& out, const T& value) {
  append_number(out, kTypeOf<T>);
  append_element(out, value);
}

template <class T>
void append_value(std::string& out, const std::vector<T>& values) {
  append_number(out, ValueType::array);
  append_number(out, kTypeOf<T>);
  append_number<std::uint64_t>(out, values.size());
  for (const auto& value : values) append_element(out, value);
}

std::uint64_t padded(std::uint64_t size, std::uint64_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

Result<> pad(os::AtomicFile& file, std::uint64_t written, std::uint64_t alignment) {
  return file.write(std::string(padded(written, alignment) - written, '\0'));
}

}  // namespace

void Writer::set(std::string key, Value value) {
  metadata_.insert_or_assign(std::move(key), std::move(value));
}

Result<> Writer::add_tensor(std::string name, TensorType type, std::vector<std::uint64_t> shape, Produce produce) {
  if (name.empty() || name.size() > kMaxTensorName || !is_utf8(name))
    return fail(Code::invalid_argument,
                fmt::format("'{}' cannot be a tensor's name: 1 to {} bytes of text can", printable(name), kMaxTensorName));
  if (std::ranges::any_of(tensors_, [&](const Tensor& tensor) { return tensor.info.name == name; }))
    return fail(Code::already_exists, fmt::format("there is a tensor '{}' already", name));
  const auto size = tensor_size(type, shape);
  if (!size)
    return fail(Code::invalid_argument,
                fmt::format("tensor '{}': [{}] is no shape for type {}", name, fmt::join(shape, ", "), traits(type).name));
  tensors_.push_back({TensorInfo{.name = std::move(name), .type = type, .shape = std::move(shape), .size = *size}, std::move(produce)});
  return {};
}

Result<> Writer::add_tensor(std::string name, TensorType type, std::vector<std::uint64_t> shape, std::span<const std::byte> bytes) {
  return add_tensor(std::move(name), type, std::move(shape), [bytes](const Emit& emit) { return emit(bytes); });
}

Result<std::uint64_t> Writer::alignment() const {
  const auto found = metadata_.find("general.alignment");
  if (found == metadata_.end()) return kDefaultAlignment;
  const auto* alignment = std::get_if<std::uint32_t>(&found->second);
  if (alignment == nullptr || !std::has_single_bit(*alignment))
    return fail(Code::invalid_argument, "general.alignment must be a power of two of type u32");
  return *alignment;
}

std::string Writer::header(std::uint64_t alignment) const {
  std::string out = "GGUF";
  append_number<std::uint32_t>(out, 3);
  append_number<std::uint64_t>(out, tensors_.size());
  append_number<std::uint64_t>(out, metadata_.size());
  for (const auto& [key, value] : metadata_) {
    append_text(out, key);
    std::visit([&](const auto& held) { append_value(out, held); }, value);
  }
  std::uint64_t offset = 0;
  for (const auto& [info, produce] : tensors_) {
    append_text(out, info.name);
    append_number<std::uint32_t>(out, static_cast<std::uint32_t>(info.shape.size()));
    for (const auto dimension : info.shape) append_number<std::uint64_t>(out, dimension);
    append_number(out, info.type);
    append_number<std::uint64_t>(out, offset);
    offset += padded(info.size.count, alignment);
  }
  return out;
}

Result<> Writer::write(const std::filesystem::path& path) const {
  PUNA_TRY(const std::uint64_t boundary, alignment());
  PUNA_TRY(auto file, os::AtomicFile::create(path));
  const std::string head = header(boundary);
  PUNA_CHECK(file.write(head));
  PUNA_CHECK(pad(file, head.size(), boundary));
  for (const auto& [info, produce] : tensors_) {
    std::uint64_t written = 0;
    PUNA_CHECK(produce([&](std::span<const std::byte> bytes) -> Result<> {
      written += bytes.size();
      if (written > info.size.count)
        return fail(Code::invalid_argument, fmt::format("tensor '{}' was given more than its {} bytes", info.name, info.size.count));
      return file.write(bytes);
    }));
    if (written != info.size.count)
      return fail(Code::invalid_argument, fmt::format("tensor '{}' was given {} of its {} bytes", info.name, written, info.size.count));
    PUNA_CHECK(pad(file, written, boundary));
  }
  return file.commit();
}

}  // namespace puna::gguf
