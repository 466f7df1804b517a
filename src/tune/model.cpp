#include "tune/model.h"

#include <fmt/format.h>

#include <map>

namespace puna::tune {

std::span<const TargetNames, kTargets> target_names() {
  static constexpr std::array<TargetNames, kTargets> kNames{{{Target::attn_q, "attn_q", "q_proj"},
                                                             {Target::attn_k, "attn_k", "k_proj"},
                                                             {Target::attn_v, "attn_v", "v_proj"},
                                                             {Target::attn_output, "attn_output", "o_proj"},
                                                             {Target::ffn_gate, "ffn_gate", "gate_proj"},
                                                             {Target::ffn_up, "ffn_up", "up_proj"},
                                                             {Target::ffn_down, "ffn_down", "down_proj"},
                                                             {Target::attn_qkv, "attn_qkv", "qkv_proj"},
                                                             {Target::ffn_gate_up, "ffn_up", "gate_up_proj"}}};
  return kNames;
}

std::span<const TargetNames> targets_of(const ArchitectureSpec& architecture) {
  constexpr std::size_t kApart = 7;
  const auto name = [](Target target) { return target_names()[static_cast<std::size_t>(target)]; };
  static const std::array kFused{name(Target::attn_output), name(Target::ffn_down), name(Target::attn_qkv), name(Target::ffn_gate_up)};
  if (architecture.fused) return kFused;
  return target_names().first<kApart>();
}

std::string_view to_string(Target target) {
  return target_names()[static_cast<std::size_t>(target)].gguf;
}

// Takes tensors out of the files one by one; what is left at the end would have been ignored.
class ModelReader {
 public:
  explicit ModelReader(Model& model) : model_(model) {}

  Result<> read(std::span<const std::filesystem::path> files) {
    for (const auto& file : files) PUNA_CHECK(map(file));
    PUNA_TRY(model_.shape_, read_shape(model_.header()));
    PUNA_CHECK(read_ends());
    for (std::size_t index = 0; index < model_.shape_.layers; ++index) {
      PUNA_TRY(auto layer, read_layer(index));
      model_.layers_.push_back(std::move(layer));
    }
    if (!tensors_.empty())
      return fail(Code::unsupported,
                  fmt::format("tensor '{}' has no part in what this build knows of architecture '{}', so training would not fit the model",
                              tensors_.begin()->first, model_.shape_.architecture->name));
    return {};
  }

 private:
  struct Found {
    const gguf::TensorInfo* info;
    const std::byte* data;
  };

  Result<> map(const std::filesystem::path& file) {
    PUNA_TRY(auto header, gguf::Header::read_file(file));
    PUNA_TRY(auto mapping, os::MappedFile::open(file));
    for (const auto& tensor : header.tensors()) {
      const std::uint64_t begin = header.data_offset() + tensor.offset;
      if (begin > mapping.bytes().size() || tensor.size.count > mapping.bytes().size() - begin)
        return fail(Code::corrupt_data, fmt::format("tensor '{}' lies outside of {}", tensor.name, file.string()));
      tensors_[tensor.name] = {&tensor, mapping.bytes().data() + begin};
    }
    model_.headers_.push_back(std::move(header));  // moving keeps the tensors' place
    model_.mappings_.push_back(std::move(mapping));
    return {};
  }

  Result<BaseMatrix> matrix(const std::string& name, std::size_t in, std::size_t out) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) return fail(Code::unsupported, fmt::format("the model has no tensor '{}'", name));
    const auto [info, data] = found->second;
    const bool vector = out == 1 && info->shape.size() == 1;
    if (info->shape.size() > 2 || info->shape[0] != in || (!vector && (info->shape.size() != 2 || info->shape[1] != out)))
      return fail(Code::corrupt_data, fmt::format("tensor '{}' is not {} x {}", name, in, out));
    PUNA_CHECK(check_readable(info->type, name));
    tensors_.erase(found);
    return BaseMatrix{name, info->type, in, out, data, static_cast<std::size_t>(info->size.count) / out};
  }
  Result<std::vector<float>> vector(const std::string& name, std::size_t size) {
    PUNA_TRY(const auto found, matrix(name, size, 1));
    std::vector<float> out(size);
    read_rows(found, 0, 1, out.data());
    return out;
  }
  Result<std::vector<float>> vector_if_any(const std::string& name, std::size_t size) {
    if (!tensors_.contains(name)) return std::vector<float>();
    return vector(name, size);
  }

  Result<> read_ends() {
    Shape& shape = model_.shape_;
    const auto embedding = tensors_.find("token_embd.weight");
    if (embedding == tensors_.end() || embedding->second.info->shape.size() != 2)
      return fail(Code::unsupported, "the model has no table of token embeddings");
    shape.vocabulary = static_cast<std::size_t>(embedding->second.info->shape[1]);
    PUNA_TRY(model_.embedding_, matrix("token_embd.weight", shape.width, shape.vocabulary));
    model_.head_ = model_.embedding_;
    if (tensors_.contains("output.weight")) {
      PUNA_TRY(model_.head_, matrix("output.weight", shape.width, shape.vocabulary));
    }
    PUNA_TRY(model_.head_bias_, vector_if_any("output.bias", shape.vocabulary));
    PUNA_TRY(model_.final_norm_, vector("output_norm.weight", shape.width));
    if (shape.architecture->frequency_factors) {
      PUNA_TRY(model_.frequency_factors_, vector_if_any("rope_freqs.weight", shape.head_width / 2));
    }
    if (shape.architecture->factors_by_length) {
      PUNA_TRY(model_.frequency_factors_, vector_if_any("rope_factors_short.weight", shape.head_width / 2));
      PUNA_TRY(model_.long_factors_, vector_if_any("rope_factors_long.weight", shape.head_width / 2));
    }
    return {};
  }

  Result<Layer> read_layer(std::size_t index) {
    const Shape& shape = model_.shape_;
    const std::string block = fmt::format("blk.{}.", index);
    Layer layer;
    PUNA_TRY(layer.attention_norm, vector(block + "attn_norm.weight", shape.width));
    PUNA_TRY(layer.ffn_norm, vector(block + "ffn_norm.weight", shape.width));
    if (shape.architecture->head_norms) {
      PUNA_TRY(layer.query_norm, vector(block + "attn_q_norm.weight", shape.head_width));
      PUNA_TRY(layer.key_norm, vector(block + "attn_k_norm.weight", shape.head_width));
    }
    if (shape.architecture->result_norms) {
      PUNA_TRY(layer.attention_result_norm, vector(block + "post_attention_norm.weight", shape.width));
      PUNA_TRY(layer.ffn_result_norm, vector(block + "post_ffw_norm.weight", shape.width));
    }
    const std::array<std::pair<std::size_t, std::size_t>, kTargets> sizes{{{shape.width, shape.query_width()},
                                                                           {shape.width, shape.key_width()},
                                                                           {shape.width, shape.key_width()},
                                                                           {shape.query_width(), shape.width},
                                                                           {shape.width, shape.inner},
                                                                           {shape.width, shape.inner},
                                                                           {shape.inner, shape.width},
                                                                           {shape.width, shape.query_width() + 2 * shape.key_width()},
                                                                           {shape.width, 2 * shape.inner}}};
    for (const auto& names : model_.targets()) {
      const auto [in, out] = sizes[static_cast<std::size_t>(names.target)];
      Linear& linear = layer.linears[static_cast<std::size_t>(names.target)];
      PUNA_TRY(linear.weight, matrix(fmt::format("{}{}.weight", block, names.gguf), in, out));
      PUNA_TRY(linear.bias, vector_if_any(fmt::format("{}{}.bias", block, names.gguf), out));
    }
    return layer;
  }

  Model& model_;
  std::map<std::string, Found, std::less<>> tensors_;
};

Result<Model> Model::open(std::span<const std::filesystem::path> files) {
  if (files.empty()) return fail(Code::invalid_argument, "a model has at least one file");
  Model model;
  PUNA_CHECK(ModelReader(model).read(files));
  return model;
}

}  // namespace puna::tune
