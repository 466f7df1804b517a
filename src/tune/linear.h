// y = W x + b + s B A x, forward and backward, over a W of any type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tune/adapter.h"
#include "tune/arithmetic/gemm.h"
#include "tune/arithmetic/team.h"
#include "tune/model.h"
#include "tune/offload/offload.h"

namespace puna::tune {

// The memory that linear maps work in, shared by all of them: one slice of a weight as floats, and what a pair needs beside it.
class LinearScratch {
 public:
  // Weights are taken in slices of about so many numbers, which lie in a cache and bound the memory.
  static constexpr std::size_t kSliceFloats = 1 << 22;

  LinearScratch(const Model& model, const Adapter* adapter, std::size_t tokens);

  [[nodiscard]] static std::size_t slice_rows(const BaseMatrix& weight);
  [[nodiscard]] static std::size_t floats(const Model& model, const Adapter* adapter, std::size_t tokens);

  Precision precision = Precision::f32;  // of products with whole weights
  Offload* offload = nullptr;            // what computes them elsewhere, if anything does

  Floats weight;    // [slice_rows, in]
  Floats hidden;    // [tokens, rank]: A x
  Floats d_hidden;  // [tokens, rank]
  Floats dropped;   // [tokens, in], only with dropout: what of x A is given
  Floats fused;     // [tokens, the widest of them], only where several maps are one: their results, or the gradients of these
};

struct LinearCall {
  Team& team;
  LinearScratch& scratch;
  const Linear& linear;
  const LoraPair* pair = nullptr;    // null: the base alone
  const Adapter* adapter = nullptr;  // whose pair it is
  std::size_t tokens = 0;
  std::uint64_t dropout_key = 0;  // names this place in this micro-batch
  bool dropout = false;
};

// Maps of the same x [tokens, in], together: it goes to a device once.
struct LinearResult {
  LinearCall call;
  float* y;  // [tokens, out]
};
void forward(std::span<const LinearResult> results, const float* x);
// Adds to the gradients of the pairs. When d_x [tokens, in] is not null, it is set to the gradient that reaches x.
struct LinearGradient {
  LinearCall call;
  const float* d_y;
};
void backward(std::span<const LinearGradient> gradients, Adapter& adapter, const float* x, float* d_x);
// The base alone, rows [first, first + rows) of W as floats: read into the scratch unless the file has floats.
[[nodiscard]] const float* base_rows(Team& team, LinearScratch& scratch, const BaseMatrix& weight, std::size_t first, std::size_t rows);

}  // namespace puna::tune
