#include "model/safetensors.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "os/file.h"
#include "os/read_at.h"
#include "safetensors/header.h"

namespace puna::model {
namespace {

constexpr Bytes kLargestConfig = mib(4);

using Counts = std::map<std::string, std::int64_t>;  // elements by type

Result<> count_tensors(const std::filesystem::path& path, Counts& counts) {
  PUNA_TRY(const auto header, safetensors::Header::read_file(path));
  for (const auto& tensor : header.tensors())
    if (auto& count = counts[tensor.type]; __builtin_add_overflow(count, tensor.elements(), &count))
      return fail(Code::corrupt_data, "the tensors' sizes are impossible");
  return {};
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
  std::array<std::byte, 9> beginning{};
  PUNA_TRY(const auto got, os::read_at(file.get(), 0, beginning));
  return safetensors::begins_like_safetensors(std::span(beginning).first(got));
}

Result<wire::ModelDetails> describe_safetensors(std::span<const FileOnDisk> files) {
  wire::ModelDetails out;
  out.format = "safetensors";
  Counts counts;
  for (const auto& file : files) {
    if (file.role == wire::FileRole::weights) {
      if (auto read = count_tensors(file.place, counts); !read) return fail(std::move(read).error().within(printable(file.path)));
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
