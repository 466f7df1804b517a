#include "tune/block.h"

#include <algorithm>
#include <array>

#include "tune/arithmetic/kernels.h"
#include "tune/arithmetic/random.h"
#include "tune/gradient.h"
#include "tune/norm.h"

namespace puna::tune {
namespace {

constexpr std::size_t kShare = 1 << 14;  // floats in one task of an element-wise pass

template <class Each>
void for_stretches(Team& team, std::size_t count, const Each& each) {
  team.for_each((count + kShare - 1) / kShare,
                [&](std::size_t task, std::size_t) { each(task * kShare, std::min(kShare, count - task * kShare)); });
}

void add(Team& team, std::size_t count, const float* from, float* to) {
  for_stretches(team, count, [&](std::size_t at, std::size_t some) { kernels().add(to + at, from + at, some); });
}

NormCall norm(const BlockCall& call, std::span<const float> gain, std::size_t rows_a_token = 1) {
  return {call.team, gain, call.model.shape().norm_epsilon, call.batch.tokens.size() * rows_a_token};
}

AttentionCall attention(const BlockCall& call) {
  return {call.team, call.model.shape(), call.batch.documents, call.model.shape().window_of(call.layer)};
}

bool is_gelu(const BlockCall& call) {
  return call.model.shape().architecture->activation == Activation::gelu;
}

// y = x + norm?(result), where `result` is y itself unless it has a norm.
void add_result(const BlockCall& call, std::span<const float> gain, const float* x, const float* result, float* y) {
  if (!gain.empty()) normalise(norm(call, gain), result, y);
  add(call.team, call.batch.tokens.size() * call.model.shape().width, x, y);
}

// The gradient of a result from that of the sum that it went into: the same, or what comes back through its norm.
const float* result_gradient(const BlockCall& call, std::span<const float> gain, const float* result, const float* d, float* scratch) {
  if (gain.empty()) return d;
  normalise_back(norm(call, gain), result, d, scratch, Gradient::replace);
  return scratch;
}

bool has_head_norms(const BlockCall& call) {
  return !call.weights().query_norm.empty();
}

bool is_fused(const BlockCall& call) {
  return call.model.shape().architecture->fused;
}

// A map that shares its input with no other.
void forward(const BlockCall& call, Target target, const float* x, float* y) {
  const LinearResult result{call.linear(target), y};
  forward(std::span(&result, 1), x);
}
void backward(const BlockCall& call, Target target, Adapter& adapter, const float* x, const float* d_y, float* d_x) {
  const LinearGradient gradient{call.linear(target), d_y};
  backward(std::span(&gradient, 1), adapter, x, d_x);
}

// One of the parts that lie side by side in the rows of a fused map's result.
struct Part {
  float* data;  // [tokens, width]
  std::size_t width;
};

enum class Way : bool { apart, together };

// Between these parts and the scratch for fused rows.
void copy_parts(const BlockCall& call, Way way, std::span<const Part> parts) {
  std::size_t row = 0;
  for (const auto& part : parts) row += part.width;
  call.team.for_each(call.batch.tokens.size(), [&](std::size_t token, std::size_t) {
    float* fused = call.scratch.fused.data() + token * row;
    for (const auto& part : parts) {
      float* own = part.data + token * part.width;
      if (way == Way::apart)
        std::copy_n(fused, part.width, own);
      else
        std::copy_n(own, part.width, fused);
      fused += part.width;
    }
  });
}

struct Heads {
  float* q;
  float* k;
  float* v;
};

std::array<Part, 3> parts_of(const BlockCall& call, const Heads& heads) {
  const Shape& shape = call.model.shape();
  return {{{heads.q, shape.query_width()}, {heads.k, shape.key_width()}, {heads.v, shape.key_width()}}};
}

void forward_heads(const BlockCall& call, const float* x, const Heads& heads) {
  if (is_fused(call)) {
    forward(call, Target::attn_qkv, x, call.scratch.fused.data());
    copy_parts(call, Way::apart, parts_of(call, heads));
    return;
  }
  const std::array results{LinearResult{call.linear(Target::attn_q), heads.q}, LinearResult{call.linear(Target::attn_k), heads.k},
                           LinearResult{call.linear(Target::attn_v), heads.v}};
  forward(results, x);
}

// d_x may be null, when no gradient is needed below.
void backward_heads(const BlockCall& call, Adapter& adapter, const float* x, const Heads& d, float* d_x) {
  if (is_fused(call)) {
    copy_parts(call, Way::together, parts_of(call, d));
    backward(call, Target::attn_qkv, adapter, x, call.scratch.fused.data(), d_x);
    return;
  }
  const std::array gradients{LinearGradient{call.linear(Target::attn_q), d.q}, LinearGradient{call.linear(Target::attn_k), d.k},
                             LinearGradient{call.linear(Target::attn_v), d.v}};
  backward(gradients, adapter, x, d_x);
}

std::array<Part, 2> parts_of_gate(const BlockCall& call, Activations& kept) {
  return {{{kept.gate.data(), call.model.shape().inner}, {kept.up.data(), call.model.shape().inner}}};
}

void forward_gate(const BlockCall& call, Activations& kept) {
  if (is_fused(call)) {
    forward(call, Target::ffn_gate_up, kept.ffn_input.data(), call.scratch.fused.data());
    copy_parts(call, Way::apart, parts_of_gate(call, kept));
    return;
  }
  const std::array results{LinearResult{call.linear(Target::ffn_gate), kept.gate.data()},
                           LinearResult{call.linear(Target::ffn_up), kept.up.data()}};
  forward(results, kept.ffn_input.data());
}

// From the gradients of gate and up, which lie where these were.
void backward_gate(const BlockCall& call, Adapter& adapter, Activations& kept, float* d_x) {
  if (is_fused(call)) {
    copy_parts(call, Way::together, parts_of_gate(call, kept));
    backward(call, Target::ffn_gate_up, adapter, kept.ffn_input.data(), call.scratch.fused.data(), d_x);
    return;
  }
  const std::array gradients{LinearGradient{call.linear(Target::ffn_gate), kept.gate.data()},
                             LinearGradient{call.linear(Target::ffn_up), kept.up.data()}};
  backward(gradients, adapter, kept.ffn_input.data(), d_x);
}

void forward_attention(const BlockCall& call, const float* x, Activations& kept) {
  const Shape& shape = call.model.shape();
  normalise(norm(call, call.weights().attention_norm), x, kept.attention_input.data());
  float* q = has_head_norms(call) ? kept.q_raw.data() : kept.q.data();
  float* k = has_head_norms(call) ? kept.k_raw.data() : kept.k.data();
  forward_heads(call, kept.attention_input.data(), {q, k, kept.v.data()});
  if (has_head_norms(call)) {
    normalise(norm(call, call.weights().query_norm, shape.heads), q, kept.q.data());
    normalise(norm(call, call.weights().key_norm, shape.heads_kv), k, kept.k.data());
  }
  call.rotation.turn(call.team, Rotation::Direction::forward, call.batch.positions, shape.heads, kept.q.data());
  call.rotation.turn(call.team, Rotation::Direction::forward, call.batch.positions, shape.heads_kv, kept.k.data());
  attend(attention(call), {kept.q.data(), kept.k.data(), kept.v.data()}, kept.attention.data(), kept.log_sums.data());
}

// d: the gradient of y, to which that of the middle of the block is added.
void backward_ffn(const BlockCall& call, Adapter& adapter, Activations& kept, BackwardScratch& scratch, float* d) {
  const std::size_t tokens = call.batch.tokens.size();
  const float* d_result = result_gradient(call, call.weights().ffn_result_norm, kept.ffn_result.data(), d, scratch.d_result.data());
  backward(call, Target::ffn_down, adapter, kept.act.data(), d_result, scratch.d_act.data());
  const auto activation_back = is_gelu(call) ? kernels().geglu_back : kernels().swiglu_back;
  for_stretches(call.team, tokens * call.model.shape().inner, [&](std::size_t at, std::size_t count) {
    activation_back(kept.gate.data() + at, kept.up.data() + at, scratch.d_act.data() + at, kept.gate.data() + at, kept.up.data() + at,
                    count);
  });
  backward_gate(call, adapter, kept, scratch.d_normal.data());
  normalise_back(norm(call, call.weights().ffn_norm), kept.middle.data(), scratch.d_normal.data(), d, Gradient::add);
}

// From the gradient of the attention's result to those of q, k and v before rotation and norms.
void backward_scores(const BlockCall& call, Activations& kept, BackwardScratch& scratch) {
  const Shape& shape = call.model.shape();
  attend_back(attention(call), {kept.q.data(), kept.k.data(), kept.v.data()}, kept.attention.data(), kept.log_sums.data(),
              scratch.d_attention.data(), {scratch.d_q.data(), scratch.d_k_parts.data(), scratch.d_v_parts.data()});
  sum_groups(attention(call), call.batch.tokens.size(), scratch.d_k_parts.data(), scratch.d_k.data());
  sum_groups(attention(call), call.batch.tokens.size(), scratch.d_v_parts.data(), scratch.d_v.data());
  call.rotation.turn(call.team, Rotation::Direction::back, call.batch.positions, shape.heads, scratch.d_q.data());
  call.rotation.turn(call.team, Rotation::Direction::back, call.batch.positions, shape.heads_kv, scratch.d_k.data());
  if (has_head_norms(call)) {
    normalise_back(norm(call, call.weights().query_norm, shape.heads), kept.q_raw.data(), scratch.d_q.data(), scratch.d_q.data(),
                   Gradient::replace);
    normalise_back(norm(call, call.weights().key_norm, shape.heads_kv), kept.k_raw.data(), scratch.d_k.data(), scratch.d_k.data(),
                   Gradient::replace);
  }
}

void backward_attention(const BlockCall& call, Adapter& adapter, const float* x, Activations& kept, BackwardScratch& scratch, float* d,
                        Below below) {
  const float* d_result =
      result_gradient(call, call.weights().attention_result_norm, kept.attention_result.data(), d, scratch.d_result.data());
  backward(call, Target::attn_output, adapter, kept.attention.data(), d_result, scratch.d_attention.data());
  backward_scores(call, kept, scratch);
  float* d_input = below == Below::needs_gradient ? scratch.d_normal.data() : nullptr;
  backward_heads(call, adapter, kept.attention_input.data(), {scratch.d_q.data(), scratch.d_k.data(), scratch.d_v.data()}, d_input);
  if (d_input != nullptr) normalise_back(norm(call, call.weights().attention_norm), x, d_input, d, Gradient::add);
}

}  // namespace

Activations::Activations(const Shape& shape, std::size_t tokens)
    : attention_input(tokens * shape.width),
      q_raw(shape.architecture->head_norms ? tokens * shape.query_width() : 0),
      k_raw(shape.architecture->head_norms ? tokens * shape.key_width() : 0),
      q(tokens * shape.query_width()),
      k(tokens * shape.key_width()),
      v(tokens * shape.key_width()),
      log_sums(tokens * shape.heads),
      attention(tokens * shape.query_width()),
      middle(tokens * shape.width),
      ffn_input(tokens * shape.width),
      gate(tokens * shape.inner),
      up(tokens * shape.inner),
      act(tokens * shape.inner),
      attention_result(shape.architecture->result_norms ? tokens * shape.width : 0),
      ffn_result(shape.architecture->result_norms ? tokens * shape.width : 0) {}

std::size_t Activations::floats(const Shape& shape, std::size_t tokens) {
  const std::size_t raw = shape.architecture->head_norms ? shape.query_width() + shape.key_width() : 0;
  const std::size_t results = shape.architecture->result_norms ? 2 * shape.width : 0;
  return tokens * (3 * shape.width + raw + results + 2 * shape.query_width() + 2 * shape.key_width() + shape.heads + 3 * shape.inner);
}

BackwardScratch::BackwardScratch(const Shape& shape, std::size_t tokens)
    : d_act(tokens * shape.inner),
      d_normal(tokens * shape.width),
      d_attention(tokens * shape.query_width()),
      d_q(tokens * shape.query_width()),
      d_k_parts(tokens * shape.query_width()),
      d_v_parts(tokens * shape.query_width()),
      d_k(tokens * shape.key_width()),
      d_v(tokens * shape.key_width()),
      d_result(shape.architecture->result_norms ? tokens * shape.width : 0) {}

std::size_t BackwardScratch::floats(const Shape& shape, std::size_t tokens) {
  const std::size_t results = shape.architecture->result_norms ? shape.width : 0;
  return tokens * (shape.inner + shape.width + results + 4 * shape.query_width() + 2 * shape.key_width());
}

LinearCall BlockCall::linear(Target target) const {
  const auto* pair = adapter == nullptr ? nullptr : adapter->find(layer, target);
  return {.team = team,
          .scratch = scratch,
          .linear = weights().linear(target),
          .pair = pair,
          .adapter = adapter,
          .tokens = batch.tokens.size(),
          .dropout_key = derive(derive(dropout_key, layer), static_cast<std::uint64_t>(target)),
          .dropout = dropout && pair != nullptr && adapter->dropout() > 0};
}

void forward(const BlockCall& call, const float* x, Activations& kept, float* y) {
  const std::size_t tokens = call.batch.tokens.size();
  const Layer& weights = call.weights();
  forward_attention(call, x, kept);
  float* attention_result = weights.attention_result_norm.empty() ? kept.middle.data() : kept.attention_result.data();
  forward(call, Target::attn_output, kept.attention.data(), attention_result);
  add_result(call, weights.attention_result_norm, x, attention_result, kept.middle.data());
  normalise(norm(call, weights.ffn_norm), kept.middle.data(), kept.ffn_input.data());
  forward_gate(call, kept);
  const auto activation = is_gelu(call) ? kernels().geglu : kernels().swiglu;
  for_stretches(call.team, tokens * call.model.shape().inner, [&](std::size_t at, std::size_t count) {
    activation(kept.act.data() + at, kept.gate.data() + at, kept.up.data() + at, count);
  });
  const bool has_norm = !weights.ffn_result_norm.empty();  // whose way back needs what went into it
  if (y == nullptr && !has_norm) return;
  float* ffn_result = has_norm ? kept.ffn_result.data() : y;
  forward(call, Target::ffn_down, kept.act.data(), ffn_result);
  if (y != nullptr) add_result(call, weights.ffn_result_norm, kept.middle.data(), ffn_result, y);
}

void backward(const BlockCall& call, Adapter& adapter, const float* x, Activations& kept, BackwardScratch& scratch, float* d, Below below) {
  backward_ffn(call, adapter, kept, scratch, d);
  backward_attention(call, adapter, x, kept, scratch, d, below);
}

}  // namespace puna::tune
