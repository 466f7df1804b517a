// Causal attention inside each document, without ever holding all its probabilities: T. Dao et al., "FlashAttention" (2022), in the part
// that matters on a CPU: the backward pass computes them again from the logarithm of each row's sum.
#pragma once

#include <cstddef>
#include <span>

#include "tune/arithmetic/team.h"
#include "tune/batch.h"
#include "tune/shape.h"

namespace puna::tune {

struct AttentionCall {
  Team& team;
  const Shape& shape;
  std::span<const MicroBatch::Document> documents;
  std::size_t window = 0;  // tokens that each sees, itself among them; 0: all before it
};

struct AttentionInput {
  const float* q;  // [tokens, heads, head_width], rotated
  const float* k;  // [tokens, heads_kv, head_width], rotated
  const float* v;  // [tokens, heads_kv, head_width]
};

// out [tokens, heads, head_width] = softmax(cap?(scale q k)) v; log_sums [tokens, heads] is kept for the way back.
void attend(const AttentionCall& call, const AttentionInput& in, float* out, float* log_sums);

struct AttentionGradients {
  float* d_q;  // [tokens, heads, head_width]
  float* d_k;  // [tokens, heads, head_width]: one part for each query head, see sum_groups
  float* d_v;  // [tokens, heads, head_width]: likewise
};
void attend_back(const AttentionCall& call, const AttentionInput& in, const float* out, const float* log_sums, const float* d_out,
                 const AttentionGradients& gradients);
// [tokens, heads, head_width] of parts into [tokens, heads_kv, head_width] of sums.
void sum_groups(const AttentionCall& call, std::size_t tokens, const float* parts, float* sums);

// What a thread needs for documents of that length.
[[nodiscard]] std::size_t attention_scratch_floats(const Shape& shape, std::size_t longest);

}  // namespace puna::tune
