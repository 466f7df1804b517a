#include "tune/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <variant>
#include <vector>

#include "base/text.h"

namespace puna::tune {
namespace {

constexpr std::uint64_t kMostElements = 1U << 24;  // of any one dimension: far beyond every model, and products do not overflow

std::string trainable() {
  std::vector<std::string> names;
  for (const auto* architecture : architectures()) names.emplace_back(architecture->name);
  return join(names, ", ");
}

class Keys {
 public:
  Keys(const gguf::Header& header, std::string_view architecture) : header_(header), architecture_(architecture) {}

  [[nodiscard]] Result<std::size_t> size(std::string_view key) const {
    const auto value = header_.integer(full(key));
    if (!value || *value == 0 || *value > kMostElements)
      return fail(Code::unsupported, fmt::format("the model's '{}' is not one number between 1 and {}", full(key), kMostElements));
    return static_cast<std::size_t>(*value);
  }
  [[nodiscard]] Result<std::size_t> size_or(std::string_view key, std::size_t otherwise) const {
    if (header_.find(full(key)) == nullptr) return otherwise;
    return size(key);
  }
  [[nodiscard]] float number_or(std::string_view key, float otherwise) const {
    return static_cast<float>(header_.number(full(key)).value_or(otherwise));
  }
  // Null unless the key holds a list of yes and no.
  [[nodiscard]] const std::vector<bool>* flags(std::string_view key) const {
    const auto* value = header_.find(full(key));
    return value == nullptr ? nullptr : std::get_if<std::vector<bool>>(value);
  }
  [[nodiscard]] bool has(std::string_view key) const { return header_.find(full(key)) != nullptr; }
  [[nodiscard]] std::string_view text_or(std::string_view key, std::string_view otherwise) const {
    return header_.text(full(key)).value_or(otherwise);
  }

 private:
  [[nodiscard]] std::string full(std::string_view key) const { return fmt::format("{}.{}", architecture_, key); }

  const gguf::Header& header_;
  std::string_view architecture_;
};

Result<> read_rotation(const Keys& keys, Shape& shape) {
  PUNA_TRY(const auto turned, keys.size_or("rope.dimension_count", shape.head_width));
  if (turned != shape.head_width || shape.head_width % 2 != 0)
    return fail(Code::unsupported,
                fmt::format("{} of {} numbers in a head are rotated; only whole heads can be trained", turned, shape.head_width));
  shape.rotary_base = keys.number_or("rope.freq_base", shape.rotary_base);
  const auto scaling = keys.text_or("rope.scaling.type", "none");
  if (shape.architecture->factors_by_length) {
    shape.rotary_size = keys.number_or("rope.scaling.attn_factor", 1);
    PUNA_TRY(shape.first_context, keys.size_or("rope.scaling.original_context_length", shape.context));
    if (scaling == "longrope") return {};
  }
  const float factor = keys.number_or("rope.scaling.factor", 0);
  if (scaling == "linear" || (scaling == "none" && !keys.has("rope.scaling.type")))
    shape.rotary_scale = factor > 0 ? 1 / factor : 1;
  else if (scaling != "none")
    return fail(Code::unsupported,
                fmt::format("positions are scaled by '{}'; this build trains models with linear scaling or none", scaling));
  return {};
}

// Which layers have a window: as the file says, or by the pattern.
Result<std::vector<bool>> windowed_layers(const Keys& keys, const Shape& shape) {
  constexpr std::string_view kKey = "attention.sliding_window_pattern";
  if (const auto* flags = keys.flags(kKey)) {
    if (flags->size() < shape.layers)
      return fail(Code::corrupt_data, fmt::format("{} layers are described of {}", flags->size(), shape.layers));
    return std::vector<bool>(flags->begin(), flags->begin() + static_cast<std::ptrdiff_t>(shape.layers));
  }
  PUNA_TRY(const auto pattern, keys.size_or(kKey, shape.architecture->window_pattern));
  std::vector<bool> out(shape.layers);
  for (std::size_t layer = 0; layer < shape.layers; ++layer) out[layer] = layer % pattern < pattern - 1;
  return out;
}

Result<> read_windows(const Keys& keys, Shape& shape) {
  const auto& architecture = *shape.architecture;
  if (architecture.window_pattern == 0) return {};
  PUNA_TRY(shape.window, keys.size_or("attention.sliding_window", architecture.window));
  if (shape.window == 0) return {};
  PUNA_TRY(shape.windowed, windowed_layers(keys, shape));
  shape.window_rotary_base = keys.number_or("rope.freq_base_swa", architecture.window_rotation ? 10000 : shape.rotary_base);
  shape.window_rotary_scale = architecture.window_rotation ? 1 : shape.rotary_scale;
  return {};
}

void read_attention(const Keys& keys, Shape& shape) {
  const auto& architecture = *shape.architecture;
  const bool is_largest = architecture.layers_of_largest == shape.layers;
  shape.attention_scale = 1 / std::sqrt(static_cast<float>(is_largest ? shape.width / shape.heads : shape.head_width));
  if (architecture.score_cap > 0) shape.score_cap = keys.number_or("attn_logit_softcapping", architecture.score_cap);
  shape.logit_cap = keys.number_or("final_logit_softcapping", architecture.logit_cap);
}

Result<> check(const Shape& shape) {
  if (shape.heads % shape.heads_kv != 0)
    return fail(Code::corrupt_data, fmt::format("{} heads cannot share {} key heads", shape.heads, shape.heads_kv));
  if (!(shape.norm_epsilon > 0) || !(shape.rotary_base > 0))
    return fail(Code::corrupt_data, "the epsilon of the norms and the base of the rotation must be above zero");
  if (!(shape.score_cap >= 0) || !(shape.logit_cap >= 0) || !(shape.window_rotary_base > 0))
    return fail(Code::corrupt_data, "caps cannot be below zero, nor the base of a rotation zero");
  return {};
}

}  // namespace

Result<Shape> read_shape(const gguf::Header& header) {
  const auto name = header.text("general.architecture").value_or("");
  Shape shape;
  shape.architecture = find_architecture(name);
  if (shape.architecture == nullptr)
    return fail(Code::unsupported,
                fmt::format("models of architecture '{}' cannot be trained by this build; it trains {}", printable(name), trainable()));
  const Keys keys(header, name);
  if (const auto experts = keys.size_or("expert_count", 0); keys.has("expert_count") && experts.value_or(1) > 0)
    return fail(Code::unsupported, fmt::format("models with experts cannot be trained by this build; dense ones of {} can", trainable()));
  PUNA_TRY(shape.layers, keys.size("block_count"));
  PUNA_TRY(shape.width, keys.size("embedding_length"));
  PUNA_TRY(shape.inner, keys.size("feed_forward_length"));
  PUNA_TRY(shape.heads, keys.size("attention.head_count"));
  PUNA_TRY(shape.heads_kv, keys.size_or("attention.head_count_kv", shape.heads));
  PUNA_TRY(shape.head_width, keys.size_or("attention.key_length", shape.width / shape.heads));
  PUNA_TRY(const auto value_width, keys.size_or("attention.value_length", shape.head_width));
  if (value_width != shape.head_width) return fail(Code::unsupported, "keys and values of different width cannot be trained by this build");
  PUNA_TRY(shape.context, keys.size("context_length"));
  shape.norm_epsilon = keys.number_or("attention.layer_norm_rms_epsilon", 0);
  PUNA_CHECK(read_rotation(keys, shape));
  PUNA_CHECK(read_windows(keys, shape));
  read_attention(keys, shape);
  PUNA_CHECK(check(shape));
  return shape;
}

}  // namespace puna::tune
