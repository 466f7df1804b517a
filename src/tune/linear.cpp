#include "tune/linear.h"

#include <algorithm>
#include <vector>

#include "tune/arithmetic/gemm.h"
#include "tune/arithmetic/kernels.h"
#include "tune/arithmetic/random.h"
#include "tune/gradient.h"

namespace puna::tune {
namespace {

struct Largest {
  std::size_t slice = 0;
  std::size_t rank = 0;
  std::size_t in = 0;
};

Largest largest_of(const Model& model, const Adapter* adapter) {
  Largest out;
  const auto see = [&](const BaseMatrix& weight, bool merged) {
    if (merged || weight.plain() == nullptr) out.slice = std::max(out.slice, LinearScratch::slice_rows(weight) * weight.in);
  };
  see(model.head(), false);
  for (std::size_t layer = 0; layer < model.shape().layers; ++layer) {
    for (const auto& names : model.targets()) {
      const auto* pair = adapter == nullptr ? nullptr : adapter->find(layer, names.target);
      see(model.layer(layer).linear(names.target).weight, pair != nullptr);
      if (pair == nullptr) continue;
      out.rank = std::max(out.rank, pair->rank);
      out.in = std::max(out.in, pair->in);
    }
  }
  if (adapter == nullptr || adapter->dropout() == 0) out.in = 0;
  return out;
}

// Of what the widest map of several in one gives a token.
std::size_t fused_width(const Shape& shape) {
  return shape.architecture->fused ? std::max(shape.query_width() + 2 * shape.key_width(), 2 * shape.inner) : 0;
}

bool is_elsewhere(const LinearCall& call) {
  return call.scratch.offload != nullptr && call.scratch.offload->takes(call.linear.weight);
}
bool is_back_elsewhere(const LinearCall& call) {
  return call.scratch.offload != nullptr && call.scratch.offload->takes_back(call.linear.weight);
}

// Adding s B A to W costs rank x in x out products; going through A and B costs tokens x rank x (in + out). A device has W alone.
bool merges(const LinearCall& call) {
  return call.pair != nullptr && !call.dropout && !is_elsewhere(call) &&
         call.tokens * (call.pair->in + call.pair->out) > call.pair->in * call.pair->out;
}

// W, or W + s B A, rows [first, first + rows).
const float* effective_rows(const LinearCall& call, bool merged, std::size_t first, std::size_t rows) {
  const BaseMatrix& weight = call.linear.weight;
  if (!merged) return base_rows(call.team, call.scratch, weight, first, rows);
  float* out = call.scratch.weight.data();
  const LoraPair& pair = *call.pair;
  read_rows(call.team, weight, first, rows, out);
  multiply(call.team, {rows, pair.in, pair.rank, pair.scale, 1}, rows_of(call.adapter->b(pair) + first * pair.rank, pair.rank),
           rows_of(call.adapter->a(pair), pair.in), out, pair.in);
  return out;
}

void add_bias(const LinearCall& call, float* y) {
  const auto& bias = call.linear.bias;
  if (bias.empty()) return;
  call.team.for_each(call.tokens,
                     [&](std::size_t token, std::size_t) { kernels().add(y + token * bias.size(), bias.data(), bias.size()); });
}

// x with each number kept with probability 1 - p and then divided by it, else zero; or x itself without dropout.
const float* dropped(const LinearCall& call, const float* x) {
  if (!call.dropout) return x;
  const float p = call.adapter->dropout();
  const float kept = 1 / (1 - p);
  float* out = call.scratch.dropped.data();
  const std::size_t in = call.pair->in;
  call.team.for_each(call.tokens, [&](std::size_t token, std::size_t) {
    for (std::size_t i = token * in; i < (token + 1) * in; ++i) out[i] = uniform(call.dropout_key, i) < p ? 0 : kept * x[i];
  });
  return out;
}

// hidden = A x
void reduce(const LinearCall& call, const float* x) {
  const LoraPair& pair = *call.pair;
  multiply(call.team, {call.tokens, pair.rank, pair.in}, rows_of(x, pair.in), rows_of(call.adapter->a(pair), pair.in).transposed(),
           call.scratch.hidden.data(), pair.rank);
}

void backward_through_dropout(const LinearCall& call, float* d_x) {
  const LoraPair& pair = *call.pair;
  const float p = call.adapter->dropout();
  const float kept = 1 / (1 - p);
  float* reached = call.scratch.dropped.data();
  multiply(call.team, {call.tokens, pair.in, pair.rank}, rows_of(call.scratch.d_hidden.data(), pair.rank),
           rows_of(call.adapter->a(pair), pair.in), reached, pair.in);
  call.team.for_each(call.tokens, [&](std::size_t token, std::size_t) {
    for (std::size_t i = token * pair.in; i < (token + 1) * pair.in; ++i)
      if (uniform(call.dropout_key, i) >= p) d_x[i] += kept * reached[i];
  });
}

// The gradients of A and B, and, unless it was part of the merged weight, of the way through them.
void backward_pair(const LinearCall& call, Adapter& adapter, bool merged, const float* x, const float* d_y, float* d_x) {
  const LoraPair& pair = *call.pair;
  const float* input = dropped(call, x);
  float* hidden = call.scratch.hidden.data();
  float* d_hidden = call.scratch.d_hidden.data();
  reduce(call, input);
  multiply(call.team, {pair.out, pair.rank, call.tokens, pair.scale, 1}, rows_of(d_y, pair.out).transposed(), rows_of(hidden, pair.rank),
           adapter.b_gradient(pair), pair.rank);
  multiply(call.team, {call.tokens, pair.rank, pair.out, pair.scale, 0}, rows_of(d_y, pair.out), rows_of(adapter.b(pair), pair.rank),
           d_hidden, pair.rank);
  multiply(call.team, {pair.rank, pair.in, call.tokens, 1, 1}, rows_of(d_hidden, pair.rank).transposed(), rows_of(input, pair.in),
           adapter.a_gradient(pair), pair.in);
  if (merged || d_x == nullptr) return;
  if (call.dropout)
    backward_through_dropout(call, d_x);
  else
    multiply(call.team, {call.tokens, pair.in, pair.rank, 1, 1}, rows_of(d_hidden, pair.rank), rows_of(adapter.a(pair), pair.in), d_x,
             pair.in);
}

// y = W x, or (W + s B A) x
void multiply_here(const LinearCall& call, bool merged, const float* x, float* y) {
  const BaseMatrix& weight = call.linear.weight;
  const std::size_t step = LinearScratch::slice_rows(weight);
  for (std::size_t first = 0; first < weight.out; first += step) {
    const std::size_t rows = std::min(step, weight.out - first);
    const float* w = effective_rows(call, merged, first, rows);
    multiply(call.team, {call.tokens, rows, weight.in, 1, 0, call.scratch.precision}, rows_of(x, weight.in),
             rows_of(w, weight.in).transposed(), y + first, weight.out);
  }
}

void multiply_back_here(const LinearCall& call, bool merged, const float* d_y, float* d_x, Gradient gradient) {
  const BaseMatrix& weight = call.linear.weight;
  const std::size_t step = LinearScratch::slice_rows(weight);
  for (std::size_t first = 0; first < weight.out; first += step) {
    const std::size_t rows = std::min(step, weight.out - first);
    const float* w = effective_rows(call, merged, first, rows);
    const float before = gradient == Gradient::replace && first == 0 ? 0 : 1;
    multiply(call.team, {call.tokens, weight.in, rows, 1, before, call.scratch.precision}, rows_of(d_y + first, weight.out),
             rows_of(w, weight.in), d_x, weight.in);
  }
}

void multiply_elsewhere(std::span<const LinearResult> results, const float* x) {
  std::vector<Offload::Product> products;
  for (const auto& [call, y] : results)
    if (is_elsewhere(call)) products.push_back({&call.linear.weight, y});
  const LinearCall& any = results.front().call;
  if (!products.empty()) any.scratch.offload->multiply(products, x, any.tokens);
}

// Whether there was something, and d_x is set.
bool multiply_back_elsewhere(std::span<const LinearGradient> gradients, float* d_x) {
  std::vector<Offload::Gradient> products;
  for (const auto& [call, d_y] : gradients)
    if (is_back_elsewhere(call)) products.push_back({&call.linear.weight, d_y});
  const LinearCall& any = gradients.front().call;
  if (!products.empty()) any.scratch.offload->multiply_back(products, d_x, any.tokens);
  return !products.empty();
}

// y += s B A x
void add_pair(const LinearCall& call, const float* x, float* y) {
  const LoraPair& pair = *call.pair;
  reduce(call, dropped(call, x));
  multiply(call.team, {call.tokens, pair.out, pair.rank, pair.scale, 1}, rows_of(call.scratch.hidden.data(), pair.rank),
           rows_of(call.adapter->b(pair), pair.rank).transposed(), y, pair.out);
}

}  // namespace

LinearScratch::LinearScratch(const Model& model, const Adapter* adapter, std::size_t tokens) {
  fused = Floats(tokens * fused_width(model.shape()));
  const auto largest = largest_of(model, adapter);
  weight = Floats(largest.slice);
  hidden = Floats(tokens * largest.rank);
  d_hidden = Floats(tokens * largest.rank);
  dropped = Floats(tokens * largest.in);
}

std::size_t LinearScratch::floats(const Model& model, const Adapter* adapter, std::size_t tokens) {
  const auto largest = largest_of(model, adapter);
  return largest.slice + tokens * (2 * largest.rank + largest.in + fused_width(model.shape()));
}

std::size_t LinearScratch::slice_rows(const BaseMatrix& weight) {
  return std::clamp<std::size_t>(kSliceFloats / weight.in, 1, weight.out);
}

const float* base_rows(Team& team, LinearScratch& scratch, const BaseMatrix& weight, std::size_t first, std::size_t rows) {
  if (const float* plain = weight.plain()) return plain + first * weight.in;
  read_rows(team, weight, first, rows, scratch.weight.data());
  return scratch.weight.data();
}

void forward(std::span<const LinearResult> results, const float* x) {
  multiply_elsewhere(results, x);
  for (const auto& [call, y] : results) {
    const bool merged = merges(call);
    if (!is_elsewhere(call)) multiply_here(call, merged, x, y);
    add_bias(call, y);
    if (call.pair != nullptr && !merged) add_pair(call, x, y);
  }
}

void backward(std::span<const LinearGradient> gradients, Adapter& adapter, const float* x, float* d_x) {
  bool begun = d_x != nullptr && multiply_back_elsewhere(gradients, d_x);
  for (const auto& [call, d_y] : gradients) {
    const bool merged = merges(call);
    if (d_x != nullptr && !is_back_elsewhere(call)) {
      multiply_back_here(call, merged, d_y, d_x, begun ? Gradient::add : Gradient::replace);
      begun = true;
    }
    if (call.pair != nullptr) backward_pair(call, adapter, merged, x, d_y, d_x);
  }
}

}  // namespace puna::tune
