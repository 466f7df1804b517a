// What makes one architecture differ from another, as data. To add one: a file here, a line in registry.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace puna::tune {

// Which numbers of a head turn together in the rotary position embedding.
enum class Pairing : std::uint8_t {
  neighbours,  // 0 with 1, 2 with 3, ...: llama.cpp's NORMAL
  halves,      // 0 with n/2, 1 with n/2 + 1, ...: llama.cpp's NEOX
};

// What the gate of the feed-forward network goes through.
enum class Activation : std::uint8_t {
  silu,  // x / (1 + exp(-x))
  gelu,  // x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2: D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units" (2016), approximated
};

// A block of the family that all of these belong to, for x [tokens, width]:
//   x += norm?(output(attention(rotate(norm?(q(norm x))), rotate(norm?(k(norm x))), v(norm x))));
//   x += norm?(down(activation(gate(norm x)) * up(norm x)))
// with RMS norms, causal attention with shared key/value heads, and a bias wherever the file has one.
struct ArchitectureSpec {
  std::string_view name;  // of general.architecture
  Pairing pairing = Pairing::halves;
  bool head_norms = false;         // queries and keys are normalised head by head: blk.N.attn_q_norm, attn_k_norm
  bool frequency_factors = false;  // rope_freqs.weight divides the frequencies where the file has it
  // The same by rope_factors_short.weight, or by rope_factors_long.weight for texts beyond the context that it was first trained with.
  bool factors_by_length = false;
  bool fused = false;  // q, k and v are one map, blk.N.attn_qkv; gate and up another, blk.N.ffn_up
  Activation activation = Activation::silu;
  bool scaled_embedding = false;  // embeddings are multiplied by the root of the width
  bool result_norms = false;      // what a half adds is normalised before: blk.N.post_attention_norm, post_ffw_norm
  // Of so many layers in a row all but the last see a window of tokens only, so wide unless the file says otherwise. 0: all see all.
  std::size_t window_pattern = 0;
  std::size_t window = 0;
  bool window_rotation = false;  // layers with a window rotate by a base of their own, and positions are not scaled there
  // x becomes cap tanh(x / cap), for scores of attention and for logits; unless the file says otherwise. 0: they stay.
  float score_cap = 0;
  float logit_cap = 0;
  // A model of so many layers, the largest of its kind, scales attention by width / heads in place of the heads' own width.
  std::size_t layers_of_largest = 0;
};

[[nodiscard]] std::span<const ArchitectureSpec* const> architectures();
[[nodiscard]] const ArchitectureSpec* find_architecture(std::string_view name);  // null when this build cannot train it

}  // namespace puna::tune
