#include "safetensors/writer.h"

#include <fmt/format.h>

#include <bit>

#include "base/json.h"
#include "base/text.h"
#include "os/atomic_file.h"

namespace puna::safetensors {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");
constexpr std::size_t kAlignment = 8;  // of the data, so that readers can use it in place

}  // namespace

void Writer::note(std::string key, std::string value) {
  metadata_.insert_or_assign(std::move(key), std::move(value));
}

Result<> Writer::add(std::string name, std::vector<std::uint64_t> shape, std::span<const float> numbers) {
  if (name.empty() || name == "__metadata__" || !is_utf8(name))
    return fail(Code::invalid_argument, fmt::format("'{}' cannot be a tensor's name", printable(name)));
  std::uint64_t elements = 1;
  for (const auto dimension : shape) elements *= dimension;
  if (elements != numbers.size())
    return fail(Code::invalid_argument, fmt::format("tensor '{}' has {} numbers where its shape needs {}", name, numbers.size(), elements));
  if (tensors_.contains(name)) return fail(Code::already_exists, fmt::format("there is a tensor '{}' already", name));
  tensors_.emplace(std::move(name), Entry{std::move(shape), numbers});
  return {};
}

Result<> Writer::write(const std::filesystem::path& path) const {
  json::object header;
  if (!metadata_.empty()) header["__metadata__"] = json::encode(metadata_);
  std::uint64_t at = 0;
  for (const auto& [name, entry] : tensors_) {
    const auto end = at + entry.numbers.size_bytes();
    header[name] = {{"dtype", "F32"}, {"shape", json::encode(entry.shape)}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = json::to_text(header);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const std::uint64_t length = text.size();
  PUNA_TRY(auto file, os::AtomicFile::create(path));
  PUNA_CHECK(file.write(std::as_bytes(std::span(&length, 1))));
  PUNA_CHECK(file.write(text));
  for (const auto& [name, entry] : tensors_) PUNA_CHECK(file.write(std::as_bytes(entry.numbers)));
  return file.commit();
}

}  // namespace puna::safetensors
