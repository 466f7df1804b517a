#include "quantize/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "gguf/reader.h"
#include "gguf/summary.h"

namespace puna::quantize {
namespace {

bool is_quantized(const gguf::TensorInfo& tensor) {
  return gguf::traits(tensor.type).block_elements > 1;
}

Result<> add_file(Source& source, const std::string& path) {
  PUNA_TRY(const auto header, gguf::Header::read_file(path));
  if (const auto kind = gguf::summarize(header).kind; kind != "model")
    return fail(Code::unsupported, fmt::format("{} is no model by itself but a part for one ({})", source.detail.model.name, kind));
  Bytes tensors;
  for (const auto& tensor : header.tensors()) {
    tensors += tensor.size;
    source.tensors.emplace(tensor.name, tensor);
  }
  source.weights += tensors;
  source.rest += header.file_size() - tensors;
  return {};
}

}  // namespace

Result<Source> read_source(model::Library& library, std::string_view name) {
  Source out;
  PUNA_TRY(out.detail, library.show(name));
  const auto& model = out.detail.model;
  if (model.problem) return fail(Code::conflict, fmt::format("model {}: {}", model.name, *model.problem));
  if (model.details.format != "gguf")
    return fail(Code::unsupported, fmt::format("{} is {}, and only GGUF files can be quantized", model.name, model.details.format));
  for (const auto& file : out.detail.files)
    if (file.role == wire::FileRole::weights) PUNA_CHECK(add_file(out, file.place));
  return out;
}

Result<> check_types(const Source& source, const Level& level, bool requantize) {
  const auto& model = source.detail.model;
  if (model.details.quantization == level.name) return fail(Code::conflict, fmt::format("{} is {} already", model.name, level.name));
  const auto found = std::ranges::find_if(source.tensors, [](const auto& entry) { return is_quantized(entry.second); });
  if (requantize || found == source.tensors.end()) return {};
  return fail(Code::unsupported,
              fmt::format("the weights of {} are quantized already ({}), and doing it twice loses quality: start from its F16 "
                          "or BF16 version, or say --requantize",
                          model.name, gguf::traits(found->second.type).name));
}

}  // namespace puna::quantize
