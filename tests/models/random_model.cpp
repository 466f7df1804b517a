#include "models/random_model.h"

#include <fmt/format.h>
#include <ggml.h>

#include <cmath>
#include <random>
#include <vector>

#include "gguf/writer.h"

namespace puna::tiny_model {
namespace {

using Row = std::vector<float>;
constexpr std::size_t kContext = 2048;

bool has_windows(const RandomModel& model) {
  return model.architecture == "gemma2" || model.architecture == "gemma3";
}

class RandomFile {
 public:
  explicit RandomFile(const RandomModel& model) : model_(model), bits_(model.seed) {
    writer_.set("general.architecture", model.architecture);
    writer_.set("general.type", std::string("model"));
    writer_.set("general.file_type", std::uint32_t{0});
    writer_.set("tokenizer.ggml.model", std::string("no_vocab"));
    figure("vocab_size", model.vocabulary);
    figure("block_count", model.layers);
    figure("context_length", kContext);
    figure("embedding_length", model.width);
    figure("feed_forward_length", model.inner);
    figure("attention.head_count", model.heads);
    figure("attention.head_count_kv", model.heads_kv);
    figure("attention.key_length", model.head_width);
    figure("attention.value_length", model.head_width);
    figure("rope.dimension_count", model.head_width);
    writer_.set(fmt::format("{}.attention.layer_norm_rms_epsilon", model.architecture), 1e-5F);
    writer_.set(fmt::format("{}.rope.freq_base", model.architecture), 10000.0F);
    if (model.factors_by_length) {
      figure("rope.scaling.original_context_length", 256);
      writer_.set(fmt::format("{}.rope.scaling.attn_factor", model.architecture), 1.2F);
    }
    if (!has_windows(model)) return;
    figure("attention.sliding_window", model.window);
    figure("attention.sliding_window_pattern", 2);
    if (model.architecture == "gemma3") writer_.set("gemma3.rope.freq_base_swa", 2000.0F);
    if (model.architecture != "gemma2") return;
    writer_.set("gemma2.attn_logit_softcapping", model.cap);
    writer_.set("gemma2.final_logit_softcapping", model.cap);
  }

  Result<> vector(const std::string& name, std::size_t size, float around, float spread) {
    Row values(size);
    for (auto& value : values) value = around + between(spread);
    return add(name, gguf::TensorType::f32, {size}, bytes_of(values));
  }
  // Values of about 1 / sqrt(columns), so that sizes stay alike from layer to layer.
  Result<> matrix(const std::string& name, std::size_t columns, std::size_t rows, float scale = 1) {
    const float bound = scale * std::sqrt(3.0F / static_cast<float>(columns));
    Row values(columns * rows);
    for (auto& value : values) value = between(bound);
    const auto type = static_cast<ggml_type>(model_.type);
    if (model_.type == gguf::TensorType::f32) return add(name, model_.type, {columns, rows}, bytes_of(values));
    const auto wide_columns = static_cast<std::int64_t>(columns);
    std::vector<std::byte> narrow(ggml_row_size(type, wide_columns) * rows);
    ggml_quantize_chunk(type, values.data(), narrow.data(), 0, static_cast<std::int64_t>(rows), wide_columns, nullptr);
    if (!model_.widened) return add(name, model_.type, {columns, rows}, std::move(narrow));
    ggml_get_type_traits(type)->to_float(narrow.data(), values.data(), static_cast<std::int64_t>(values.size()));
    return add(name, gguf::TensorType::f32, {columns, rows}, bytes_of(values));
  }
  Result<> write(const std::filesystem::path& path) const { return writer_.write(path); }

 private:
  // std::mt19937_64 is the same everywhere; the standard distributions are not.
  float between(float bound) { return bound * (2 * static_cast<float>(bits_() >> 40) / static_cast<float>(1 << 24) - 1); }
  void figure(std::string_view key, std::size_t value) {
    writer_.set(fmt::format("{}.{}", model_.architecture, key), static_cast<std::uint32_t>(value));
  }
  static std::vector<std::byte> bytes_of(const Row& values) {
    const auto bytes = std::as_bytes(std::span(values));
    return {bytes.begin(), bytes.end()};
  }
  Result<> add(const std::string& name, gguf::TensorType type, std::vector<std::uint64_t> shape, std::vector<std::byte> bytes) {
    return writer_.add_tensor(name, type, std::move(shape),
                              [bytes = std::move(bytes)](const gguf::Writer::Emit& emit) { return emit(std::span(bytes)); });
  }

  const RandomModel& model_;
  std::mt19937_64 bits_;
  gguf::Writer writer_;
};

Result<> add_layer(RandomFile& file, const RandomModel& model, std::size_t layer) {
  const std::string block = fmt::format("blk.{}.", layer);
  const std::size_t queries = model.heads * model.head_width;
  const std::size_t keys = model.heads_kv * model.head_width;
  PUNA_CHECK(file.vector(block + "attn_norm.weight", model.width, 1, 0.3F));
  const bool fused = model.architecture == "phi3";
  if (fused) {
    PUNA_CHECK(file.matrix(block + "attn_qkv.weight", model.width, queries + 2 * keys));
  } else {
    PUNA_CHECK(file.matrix(block + "attn_q.weight", model.width, queries));
    PUNA_CHECK(file.matrix(block + "attn_k.weight", model.width, keys));
    PUNA_CHECK(file.matrix(block + "attn_v.weight", model.width, keys));
  }
  PUNA_CHECK(file.matrix(block + "attn_output.weight", queries, model.width));
  if (model.architecture == "qwen2") {
    PUNA_CHECK(file.vector(block + "attn_q.bias", queries, 0, 0.5F));
    PUNA_CHECK(file.vector(block + "attn_k.bias", keys, 0, 0.5F));
    PUNA_CHECK(file.vector(block + "attn_v.bias", keys, 0, 0.5F));
  }
  if (has_windows(model)) {
    PUNA_CHECK(file.vector(block + "post_attention_norm.weight", model.width, 1, 0.3F));
    PUNA_CHECK(file.vector(block + "post_ffw_norm.weight", model.width, 1, 0.3F));
  }
  if (model.architecture == "qwen3" || model.architecture == "gemma3") {
    PUNA_CHECK(file.vector(block + "attn_q_norm.weight", model.head_width, 1, 0.3F));
    PUNA_CHECK(file.vector(block + "attn_k_norm.weight", model.head_width, 1, 0.3F));
  }
  PUNA_CHECK(file.vector(block + "ffn_norm.weight", model.width, 1, 0.3F));
  if (!fused) PUNA_CHECK(file.matrix(block + "ffn_gate.weight", model.width, model.inner));
  PUNA_CHECK(file.matrix(block + "ffn_up.weight", model.width, fused ? 2 * model.inner : model.inner));
  return file.matrix(block + "ffn_down.weight", model.inner, model.width);
}

}  // namespace

Result<> write(const std::filesystem::path& path, const RandomModel& model) {
  RandomFile file(model);
  PUNA_CHECK(file.matrix("token_embd.weight", model.width, model.vocabulary, 4));
  if (!model.tied) PUNA_CHECK(file.matrix("output.weight", model.width, model.vocabulary));
  PUNA_CHECK(file.vector("output_norm.weight", model.width, 1, 0.3F));
  if (model.frequency_factors) PUNA_CHECK(file.vector("rope_freqs.weight", model.head_width / 2, 2, 0.9F));
  if (model.factors_by_length) {
    PUNA_CHECK(file.vector("rope_factors_short.weight", model.head_width / 2, 2, 0.9F));
    PUNA_CHECK(file.vector("rope_factors_long.weight", model.head_width / 2, 9, 5));
  }
  for (std::size_t layer = 0; layer < model.layers; ++layer) PUNA_CHECK(add_layer(file, model, layer));
  return file.write(path);
}

}  // namespace puna::tiny_model
