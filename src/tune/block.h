// One layer of the model: attention and feed-forward network, forward and backward.
#pragma once

#include <cstdint>
#include <span>

#include "tune/adapter.h"
#include "tune/arithmetic/floats.h"
#include "tune/attention.h"
#include "tune/batch.h"
#include "tune/linear.h"
#include "tune/rotation.h"

namespace puna::tune {

// What one layer computes on its way forward and needs on its way back, for up to so many tokens.
class Activations {
 public:
  Activations(const Shape& shape, std::size_t tokens);
  [[nodiscard]] static std::size_t floats(const Shape& shape, std::size_t tokens);

  Floats attention_input;   // [tokens, width]: normalised
  Floats q_raw;             // [tokens, query_width]: before the heads' norms, only where there are some
  Floats k_raw;             // [tokens, key_width]
  Floats q;                 // [tokens, query_width]: rotated
  Floats k;                 // [tokens, key_width]
  Floats v;                 // [tokens, key_width]
  Floats log_sums;          // [tokens, heads]
  Floats attention;         // [tokens, query_width]
  Floats middle;            // [tokens, width]: the stream between the two halves
  Floats ffn_input;         // [tokens, width]: normalised
  Floats gate;              // [tokens, inner]; on the way back its gradient
  Floats up;                // [tokens, inner]; likewise
  Floats act;               // [tokens, inner]
  Floats attention_result;  // [tokens, width]: before its norm, only where there is one
  Floats ffn_result;        // [tokens, width]; likewise
};

// What the way back works in, shared by all layers.
class BackwardScratch {
 public:
  BackwardScratch(const Shape& shape, std::size_t tokens);
  [[nodiscard]] static std::size_t floats(const Shape& shape, std::size_t tokens);

  Floats d_act;        // [tokens, inner]
  Floats d_normal;     // [tokens, width]
  Floats d_attention;  // [tokens, query_width]
  Floats d_q;          // [tokens, query_width]
  Floats d_k_parts;    // [tokens, query_width]
  Floats d_v_parts;    // [tokens, query_width]
  Floats d_k;          // [tokens, key_width]
  Floats d_v;          // [tokens, key_width]
  Floats d_result;     // [tokens, width], only where results have norms
};

struct BlockCall {
  Team& team;
  const Model& model;
  const MicroBatch& batch;
  const Rotation& rotation;
  LinearScratch& scratch;
  const Adapter* adapter = nullptr;  // null: the base alone
  std::size_t layer = 0;
  std::uint64_t dropout_key = 0;
  bool dropout = false;

  [[nodiscard]] const Layer& weights() const { return model.layer(layer); }
  [[nodiscard]] LinearCall linear(Target target) const;
};

// y [tokens, width] from x [tokens, width], which may not overlap. Without y, only what the way back needs is computed.
void forward(const BlockCall& call, const float* x, Activations& kept, float* y);
// d [tokens, width] comes in as the gradient of y and goes out as the gradient of x; unless x needs none, when only the adapter's gradients
// count and d is left undefined. `kept` is what forward() left for the same x, and is used up.
enum class Below : bool { needs_gradient, needs_none };
void backward(const BlockCall& call, Adapter& adapter, const float* x, Activations& kept, BackwardScratch& scratch, float* d, Below below);

}  // namespace puna::tune
