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

// A block of the family that all of these belong to, for x [tokens, width]:
//   x += output(attention(rotate(norm?(q(norm x))), rotate(norm?(k(norm x))), v(norm x)));  x += down(silu(gate(norm x)) * up(norm x))
// with RMS norms, causal attention with shared key/value heads, and a bias wherever the file has one.
struct ArchitectureSpec {
  std::string_view name;  // of general.architecture
  Pairing pairing = Pairing::halves;
  bool head_norms = false;         // queries and keys are normalised head by head: blk.N.attn_q_norm, attn_k_norm
  bool frequency_factors = false;  // rope_freqs.weight divides the frequencies where the file has it
};

[[nodiscard]] std::span<const ArchitectureSpec* const> architectures();
[[nodiscard]] const ArchitectureSpec* find_architecture(std::string_view name);  // null when this build cannot train it

}  // namespace puna::tune
