#include "tune/adapter_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "gguf/reader.h"
#include "os/mapped_file.h"
#include "tune/base_matrix.h"

namespace puna::tune {
namespace {

constexpr std::string_view kSuffixA = ".lora_a";
constexpr std::string_view kSuffixB = ".lora_b";

float file_alpha(const Adapter& adapter) {
  return adapter.pairs().empty() ? 1 : adapter.pairs().front().scale * static_cast<float>(adapter.pairs().front().rank);
}

// llama.cpp: alpha / rank, or 1 when alpha is 0.
float scale_of(float alpha, std::size_t rank) {
  return alpha == 0 ? 1 : alpha / static_cast<float>(rank);
}

class AdapterReader {
 public:
  AdapterReader(const std::filesystem::path& path, const Model& model) : path_(path), model_(model) {}

  Result<Adapter> read(float dropout) {
    PUNA_TRY(const auto header, gguf::Header::read_file(path_));
    PUNA_TRY(const auto mapping, os::MappedFile::open(path_));
    PUNA_CHECK(check_kind(header));
    for (const auto& tensor : header.tensors()) PUNA_CHECK(take(header, mapping, tensor));
    const auto alpha = static_cast<float>(header.number("adapter.lora.alpha").value_or(0));
    PUNA_TRY(const auto places, find_places(alpha));
    if (!halves_.empty() || places.empty())
      return fail(Code::unsupported, fmt::format("{} changes '{}', which this build does not train", path_.string(),
                                                 halves_.empty() ? std::string("nothing") : halves_.begin()->first));
    Adapter adapter = Adapter::at(model_, places, dropout);
    for (const auto& pair : adapter.pairs()) {
      read_rows(whole_.at(pair.name).a, 0, pair.rank, adapter.parameters().data() + pair.a);
      read_rows(whole_.at(pair.name).b, 0, pair.out, adapter.parameters().data() + pair.b);
    }
    return adapter;
  }

 private:
  struct Halves {
    BaseMatrix a;
    BaseMatrix b;
  };

  Result<> check_kind(const gguf::Header& header) const {
    if (header.text("general.type") != "adapter" || header.text("adapter.type") != "lora")
      return fail(Code::invalid_argument, fmt::format("{} is not a LoRA adapter", path_.string()));
    const auto architecture = header.text("general.architecture").value_or("");
    if (architecture != model_.shape().architecture->name)
      return fail(Code::invalid_argument, fmt::format("{} is for models of architecture '{}'; this one is '{}'", path_.string(),
                                                      architecture, model_.shape().architecture->name));
    return {};
  }
  Result<> take(const gguf::Header& header, const os::MappedFile& mapping, const gguf::TensorInfo& tensor) {
    const std::uint64_t begin = header.data_offset() + tensor.offset;
    if (begin > mapping.bytes().size() || tensor.size.count > mapping.bytes().size() - begin || tensor.shape.size() != 2)
      return fail(Code::corrupt_data, fmt::format("tensor '{}' of {} is not a matrix inside the file", tensor.name, path_.string()));
    PUNA_CHECK(check_readable(tensor.type, tensor.name));
    const BaseMatrix matrix{tensor.name,
                            tensor.type,
                            tensor.shape[0],
                            tensor.shape[1],
                            mapping.bytes().data() + begin,
                            static_cast<std::size_t>(tensor.size.count / tensor.shape[1])};
    const std::string_view name = tensor.name;
    if (name.ends_with(kSuffixA))
      halves_[std::string(name.substr(0, name.size() - kSuffixA.size()))].a = matrix;
    else if (name.ends_with(kSuffixB))
      halves_[std::string(name.substr(0, name.size() - kSuffixB.size()))].b = matrix;
    else
      halves_[tensor.name].a = matrix;
    return {};
  }
  // Moves what has a place in the model from halves_ to whole_.
  Result<std::vector<LoraPlace>> find_places(float alpha) {
    std::vector<LoraPlace> places;
    for (std::size_t layer = 0; layer < model_.shape().layers; ++layer) {
      for (const auto& names : model_.targets()) {
        const BaseMatrix& weight = model_.layer(layer).linear(names.target).weight;
        const auto found = halves_.find(weight.name);
        if (found == halves_.end()) continue;
        const auto& [a, b] = found->second;
        const std::size_t rank = a.out;
        if (a.in != weight.in || b.out != weight.out || b.in != rank || rank > kMostRank)
          return fail(Code::invalid_argument, fmt::format("the pair of {} for '{}' does not fit this model", path_.string(), weight.name));
        places.push_back({layer, names.target, rank, scale_of(alpha, rank)});
        whole_.insert(halves_.extract(found));
      }
    }
    return places;
  }

  const std::filesystem::path& path_;
  const Model& model_;
  std::map<std::string, Halves, std::less<>> halves_;  // by the name of the base tensor
  std::map<std::string, Halves, std::less<>> whole_;
};

}  // namespace

Result<> describe_adapter(gguf::Writer& writer, const Model& model, const Adapter& adapter) {
  const float alpha = file_alpha(adapter);
  writer.set("general.type", std::string("adapter"));
  writer.set("general.architecture", std::string(model.shape().architecture->name));
  writer.set("adapter.type", std::string("lora"));
  writer.set("adapter.lora.alpha", alpha);
  for (const auto& pair : adapter.pairs()) {
    const auto a = adapter.parameters().span().subspan(pair.a, pair.a_size());
    const auto b = adapter.parameters().span().subspan(pair.b, pair.b_size());
    PUNA_CHECK(writer.add_tensor(pair.name + std::string(kSuffixA), gguf::TensorType::f32, {pair.in, pair.rank}, std::as_bytes(a)));
    const float rest = pair.scale / scale_of(alpha, pair.rank);
    const auto emit_b = [b, rest](const gguf::Writer::Emit& emit) -> Result<> {
      if (rest == 1) return emit(std::as_bytes(b));
      std::vector<float> scaled(b.begin(), b.end());
      for (auto& value : scaled) value *= rest;
      return emit(std::as_bytes(std::span(scaled)));
    };
    PUNA_CHECK(writer.add_tensor(pair.name + std::string(kSuffixB), gguf::TensorType::f32, {pair.rank, pair.out}, emit_b));
  }
  return {};
}

Result<> write_adapter(const std::filesystem::path& path, const Model& model, const Adapter& adapter) {
  gguf::Writer writer;
  PUNA_CHECK(describe_adapter(writer, model, adapter));
  return writer.write(path);
}

Result<Adapter> read_adapter(const std::filesystem::path& path, const Model& model, float dropout) {
  return AdapterReader(path, model).read(dropout);
}

}  // namespace puna::tune
