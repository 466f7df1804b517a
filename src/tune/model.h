// The base model of a training: its weights where the file has them, mapped and never written.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gguf/reader.h"
#include "os/mapped_file.h"
#include "tune/base_matrix.h"
#include "tune/shape.h"

namespace puna::tune {

// The linear maps of a block, which LoRA can be put on.
enum class Target : std::uint8_t { attn_q, attn_k, attn_v, attn_output, ffn_gate, ffn_up, ffn_down, attn_qkv, ffn_gate_up };
inline constexpr std::size_t kTargets = 9;
struct TargetNames {
  Target target;
  std::string_view gguf;  // "attn_q": blk.N.attn_q.weight
  std::string_view peft;  // "q_proj"
};
[[nodiscard]] std::span<const TargetNames, kTargets> target_names();
// Those that models of an architecture have.
[[nodiscard]] std::span<const TargetNames> targets_of(const ArchitectureSpec& architecture);
[[nodiscard]] std::string_view to_string(Target target);

struct Linear {
  BaseMatrix weight;
  std::vector<float> bias;  // empty where there is none
};

struct Layer {
  std::vector<float> attention_norm;  // [width]
  std::vector<float> ffn_norm;        // [width]
  std::vector<float> query_norm;      // [head_width], empty where there is none
  std::vector<float> key_norm;
  std::vector<float> attention_result_norm;  // [width], empty where there is none
  std::vector<float> ffn_result_norm;
  std::array<Linear, kTargets> linears;  // those that the architecture does not have are empty

  [[nodiscard]] const Linear& linear(Target target) const { return linears[static_cast<std::size_t>(target)]; }
};

class Model {
 public:
  // `files` are the parts of one model, in order. Code::unsupported names what cannot be trained: an architecture, a tensor that would not
  // take part in the computation, a tensor type. Call fleet's or gguf's check first for files of strangers.
  [[nodiscard]] static Result<Model> open(std::span<const std::filesystem::path> files);

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] const Layer& layer(std::size_t index) const { return layers_[index]; }
  [[nodiscard]] const BaseMatrix& embedding() const { return embedding_; }  // [vocabulary, width]
  [[nodiscard]] const BaseMatrix& head() const { return head_; }            // the same where they are tied
  [[nodiscard]] std::span<const float> head_bias() const { return head_bias_; }
  [[nodiscard]] std::span<const float> final_norm() const { return final_norm_; }
  // For texts of that length.
  [[nodiscard]] std::span<const float> frequency_factors(std::size_t longest) const {
    return longest > shape_.first_context && !long_factors_.empty() ? long_factors_ : frequency_factors_;
  }
  [[nodiscard]] std::span<const TargetNames> targets() const { return targets_of(*shape_.architecture); }
  [[nodiscard]] const gguf::Header& header() const { return headers_.front(); }

 private:
  friend class ModelReader;
  Model() = default;

  std::vector<gguf::Header> headers_;
  std::vector<os::MappedFile> mappings_;
  Shape shape_;
  std::vector<Layer> layers_;
  BaseMatrix embedding_;
  BaseMatrix head_;
  std::vector<float> head_bias_;
  std::vector<float> final_norm_;
  std::vector<float> frequency_factors_;
  std::vector<float> long_factors_;
};

}  // namespace puna::tune
