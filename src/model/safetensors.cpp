#include "model/safetensors.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "base/text.h"
#include "os/file.h"

namespace puna::model {
namespace {

constexpr std::uint64_t kLargestHeader = 100'000'000;  // the format's own limit
constexpr Bytes kLargestConfig = mib(4);

using Counts = std::map<std::string, std::int64_t>;  // elements by type

Result<std::string> read_prefix(const os::UniqueFd& file, std::uint64_t offset, std::size_t size) {
  std::string out(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::pread(file.get(), out.data() + filled, size - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "cannot read the file"));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  out.resize(filled);
  return out;
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes[i]);
  return out;
}

Result<std::int64_t> elements_of(const json::object& tensor) {
  const auto* shape = tensor.if_contains("shape");
  if (shape == nullptr || !shape->is_array()) return fail(Code::corrupt_data, "a tensor has no shape");
  std::int64_t out = 1;
  for (const auto& length : shape->get_array()) {
    const auto number = json::decode<std::int64_t>(length);
    if (!number || *number < 0 || __builtin_mul_overflow(out, *number, &out))
      return fail(Code::corrupt_data, "a tensor's shape is impossible");
  }
  return out;
}

Result<> count_tensors(const json::object& header, Counts& counts) {
  for (const auto& entry : header) {
    if (entry.key() == "__metadata__") continue;
    const auto* tensor = entry.value().if_object();
    const auto* type = tensor == nullptr ? nullptr : tensor->if_contains("dtype");
    if (type == nullptr || !type->is_string()) return fail(Code::corrupt_data, "a tensor has no type");
    PUNA_TRY(const auto elements, elements_of(*tensor));
    auto& count = counts[std::string(std::string_view(type->get_string()))];
    if (__builtin_add_overflow(count, elements, &count)) return fail(Code::corrupt_data, "the tensors' sizes are impossible");
  }
  return {};
}

Result<> read_tensors(const std::filesystem::path& path, Counts& counts) {
  PUNA_TRY(const auto file, os::open_regular_file(path));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail(errno_error(errno, "cannot examine the file"));
  PUNA_TRY(const auto length_bytes, read_prefix(file, 0, 8));
  const auto length = little_endian(length_bytes);
  if (length_bytes.size() < 8 || length < 2 || length > kLargestHeader || length + 8 > static_cast<std::uint64_t>(status.st_size))
    return fail(Code::corrupt_data, "it has no safetensors header, or was cut off");
  PUNA_TRY(const auto text, read_prefix(file, 8, static_cast<std::size_t>(length)));
  auto header = json::parse_object(trim(text));
  if (!header) return fail(Code::corrupt_data, "its safetensors header is malformed: " + header.error().message);
  return count_tensors(*header, counts);
}

void read_config(const std::filesystem::path& path, wire::ModelDetails& out) {
  const auto text = os::read_file(path, kLargestConfig);
  const auto config = text ? json::parse_object(*text) : Result<json::object>(fail(text.error()));
  if (!config) return;  // what it says is an addition; whether the weights are whole does not depend on it
  const auto number = [&](std::string_view key) -> std::int64_t {
    const auto* found = config->if_contains(key);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
  };
  if (const auto* type = config->if_contains("model_type"); type != nullptr && type->is_string())
    out.architecture = printable(std::string_view(type->get_string()));
  out.context_length = number("max_position_embeddings");
  out.embedding_length = number("hidden_size");
  out.block_count = number("num_hidden_layers");
}

}  // namespace

Result<bool> is_safetensors(const std::filesystem::path& path) {
  PUNA_TRY(const auto file, os::open_regular_file(path));
  PUNA_TRY(const auto begin, read_prefix(file, 0, 9));
  return begin.size() == 9 && !begin.starts_with("GGUF") && begin[8] == '{' &&
         little_endian(std::string_view(begin).substr(0, 8)) <= kLargestHeader;
}

Result<wire::ModelDetails> describe_safetensors(std::span<const FileOnDisk> files) {
  wire::ModelDetails out;
  out.format = "safetensors";
  Counts counts;
  for (const auto& file : files) {
    if (file.role == wire::FileRole::weights) {
      if (auto read = read_tensors(file.place, counts); !read) return fail(std::move(read).error().within(printable(file.path)));
    } else if (file.role == wire::FileRole::config && std::filesystem::path(file.path).filename() == "config.json") {
      read_config(file.place, out);
    }
  }
  for (const auto& [type, elements] : counts) out.parameters += elements;
  const auto main = std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; });
  if (main != counts.end()) out.quantization = printable(main->first);
  return out;
}

}  // namespace puna::model
