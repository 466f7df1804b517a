// What is trained: pairs of thin matrices beside the frozen weights.
// E. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (2021): W' = W + s B A.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "tune/arithmetic/floats.h"
#include "tune/model.h"

namespace puna::tune {

inline constexpr std::size_t kMostRank = 256;

struct LoraOptions {
  std::size_t rank = 16;
  float alpha = 32;
  bool rank_stabilized = false;  // s = alpha / sqrt(rank) instead of alpha / rank (D. Kalajdzievski, "rsLoRA", 2023)
  float dropout = 0;             // of the input of A, in [0, 1)
  // Exact names, "attn_q" or "q_proj" for all layers, "blk.3.attn_q" for one; empty means all.
  std::vector<std::string> targets;
  // Ranks that differ, by the same names; the one for a layer counts before the one for all.
  std::map<std::string, std::size_t> ranks;
  std::uint64_t seed = 0;  // of the first values of A
};

// One pair: A [rank, in], B [out, rank], at their places in the adapter's array of parameters.
struct LoraPair {
  std::string name;  // of the base tensor: "blk.0.attn_q.weight"
  std::size_t layer = 0;
  Target target = Target::attn_q;
  std::size_t in = 0;
  std::size_t out = 0;
  std::size_t rank = 0;
  float scale = 0;  // s
  std::size_t a = 0;
  std::size_t b = 0;

  [[nodiscard]] std::size_t a_size() const { return rank * in; }
  [[nodiscard]] std::size_t b_size() const { return out * rank; }
};

// Where a pair is wanted.
struct LoraPlace {
  std::size_t layer = 0;
  Target target = Target::attn_q;
  std::size_t rank = 0;
  float scale = 0;
};

class Adapter {
 public:
  // A is drawn from U(-1/sqrt(in), 1/sqrt(in)), as PEFT does, and B is zero, so that the adapted model begins as the base, bit for bit.
  // Code::invalid_argument names the option, its value and what is possible.
  [[nodiscard]] static Result<Adapter> create(const Model& model, const LoraOptions& options);

  // All parameters zero; places are in the order of layers and targets, each at most once, with ranks that fit.
  [[nodiscard]] static Adapter at(const Model& model, std::span<const LoraPlace> places, float dropout);

  [[nodiscard]] std::span<const LoraPair> pairs() const { return pairs_; }
  // Null where there is none.
  [[nodiscard]] const LoraPair* find(std::size_t layer, Target target) const;
  // The lowest layer with a pair: gradients need not reach below it.
  [[nodiscard]] std::size_t first_layer() const { return first_layer_; }
  [[nodiscard]] float dropout() const { return dropout_; }

  // All pairs one after the other, A before B. Gradients are sums over tokens, not means.
  [[nodiscard]] Floats& parameters() { return parameters_; }
  [[nodiscard]] const Floats& parameters() const { return parameters_; }
  [[nodiscard]] Floats& gradients() { return gradients_; }
  [[nodiscard]] const Floats& gradients() const { return gradients_; }
  [[nodiscard]] const float* a(const LoraPair& pair) const { return parameters_.data() + pair.a; }
  [[nodiscard]] const float* b(const LoraPair& pair) const { return parameters_.data() + pair.b; }
  [[nodiscard]] float* a_gradient(const LoraPair& pair) { return gradients_.data() + pair.a; }
  [[nodiscard]] float* b_gradient(const LoraPair& pair) { return gradients_.data() + pair.b; }

 private:
  Adapter() = default;

  std::vector<LoraPair> pairs_;
  std::vector<std::array<std::optional<std::size_t>, kTargets>> by_place_;
  std::size_t first_layer_ = 0;
  float dropout_ = 0;
  Floats parameters_;
  Floats gradients_;
};

}  // namespace puna::tune
