// The innermost loops, once for each width of vector that CPUs have.
#pragma once

#include <cstddef>
#include <cstdint>

namespace puna::tune {

// All numbers are 32-bit floats; lengths need not be multiples of anything unless said. The order of additions depends on the width of the
// vectors and on the lengths, never on threads.
struct Kernels {
  const char* name;          // "avx512"
  std::size_t width;         // floats in a vector
  std::size_t tile_rows;     // of a full tile
  std::size_t tile_columns;  // of a full tile; a narrow one has `width` columns

  // c[i,j] = beta c[i,j] + alpha sum_k a[i + k a_step] b[j + k b_step] for one tile; c_row floats from one row to the next.
  // With beta 0, what was in c does not matter.
  using Tile = void (*)(std::size_t steps, const float* a, std::size_t a_step, const float* b, std::size_t b_step, float alpha, float beta,
                        float* c, std::size_t c_row);
  Tile tile;
  Tile narrow_tile;
  // c[i,j] = beta c[i,j] + alpha sum_k a[i a_row + k] b[j b_row + k] for rows x columns results.
  void (*dots)(std::size_t rows, std::size_t columns, std::size_t steps, const float* a, std::size_t a_row, const float* b,
               std::size_t b_row, float alpha, float beta, float* c, std::size_t c_row);
  // to[k lanes + i] = from[i from_row + k] for i below count and k below steps, zero for i up to lanes. Up to `width` more floats after the
  // last are overwritten.
  void (*pack)(const float* from, std::size_t from_row, std::size_t count, std::size_t steps, float* to, std::size_t lanes);

  // Likewise with each two steps rounded to bfloat16 and put into 32 bits, the even one in the lower half; an odd last step gets a zero.
  void (*pack_pairs)(const float* from, std::size_t from_row, std::size_t count, std::size_t steps, float* to, std::size_t lanes);
  // One row of such pairs from two rows of `count` floats; `odd` may be null. Zero for i up to lanes.
  void (*pair_rows)(const float* even, const float* odd, std::size_t count, float* to, std::size_t lanes);

  float (*dot)(const float* a, const float* b, std::size_t count);
  void (*add)(float* to, const float* from, std::size_t count);                       // to += from
  void (*add_scaled)(float* to, float factor, const float* from, std::size_t count);  // to += factor from
  void (*multiply)(float* to, const float* a, const float* b, std::size_t count);     // to = a b
  void (*scale)(float* to, float factor, std::size_t count);                          // to *= factor

  // act = silu(gate) up, with silu(x) = x / (1 + exp(-x)).
  void (*swiglu)(float* act, const float* gate, const float* up, std::size_t count);
  // d_act comes in; d_gate and d_up go out, which may lie where gate and up were.
  void (*swiglu_back)(float* d_gate, float* d_up, const float* d_act, const float* gate, const float* up, std::size_t count);
  // act = gelu(gate) up, with gelu as architectures/spec.h has it; and the same back.
  void (*geglu)(float* act, const float* gate, const float* up, std::size_t count);
  void (*geglu_back)(float* d_gate, float* d_up, const float* d_act, const float* gate, const float* up, std::size_t count);
  // to = cap tanh(factor from / cap); `to` may be `from`.
  void (*soft_cap)(float* to, const float* from, float factor, float cap, std::size_t count);
  // d *= factor (1 - (capped / cap)^2), where capped is what soft_cap left.
  void (*soft_cap_back)(float* d, const float* capped, float factor, float cap, std::size_t count);

  float (*largest)(const float* from, std::size_t count);  // count > 0
  // to[i] = exp(factor from[i] - offset); returns their sum. `to` may be `from`.
  float (*exponentials)(float* to, const float* from, float factor, float offset, std::size_t count);
  // d[i] = factor p[i] (d[i] - mean): the derivative of a softmax.
  void (*softmax_back)(float* d, const float* p, float mean, float factor, std::size_t count);

  // One step of AdamW (see optimizer.h) on some parameters p with gradients g times `factor` and moments m and v.
  struct AdamW {
    float factor;  // of the gradients
    float beta1;
    float beta2;
    float epsilon;
    float decay;            // what is left of p: 1 - rate weight_decay
    float step;             // rate / (1 - beta1^t)
    float root_correction;  // 1 / sqrt(1 - beta2^t)
  };
  void (*adamw)(const AdamW& by, float* p, const float* g, float* m, float* v, std::size_t count);

  void (*from_f16)(float* to, const std::uint16_t* from, std::size_t count);
  void (*from_bf16)(float* to, const std::uint16_t* from, std::size_t count);
};

// Tiles of the same size as those of kernels(), over pairs of bfloat16 that are multiplied and then added in 32 bits; steps are pairs.
struct PairKernels {
  Kernels::Tile tile;
  Kernels::Tile narrow_tile;
};
[[nodiscard]] const PairKernels* pair_kernels();  // null where this CPU has no instruction for it

// The fastest that this CPU runs.
[[nodiscard]] const Kernels& kernels();
// Those of one width for tests: 4, 8 or 16; null where this CPU or this build does not have them.
[[nodiscard]] const Kernels* kernels_of_width(std::size_t width);

}  // namespace puna::tune
