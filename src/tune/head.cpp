#include "tune/head.h"

#include <algorithm>
#include <cmath>

#include "tune/arithmetic/gemm.h"
#include "tune/arithmetic/kernels.h"
#include "tune/norm.h"

namespace puna::tune {
namespace {

constexpr std::size_t kLogitFloats = 16 << 20;  // 64 MiB of logits at most, unless the vocabulary is enormous
constexpr std::size_t kFewestPlaces = 16;

}  // namespace

std::size_t Head::places(const Model& model, std::size_t tokens) {
  return std::clamp<std::size_t>(kLogitFloats / model.shape().vocabulary, kFewestPlaces, std::max(tokens, kFewestPlaces));
}

Head::Head(const Model& model, Team& team, LinearScratch& scratch, std::size_t tokens)
    : model_(model),
      team_(team),
      scratch_(scratch),
      places_(places(model, tokens)),
      input_(places_ * model.shape().width),
      gathered_(places_ * model.shape().width),
      d_input_(places_ * model.shape().width),
      logits_(places_ * model.shape().vocabulary),
      capped_(model.shape().logit_cap > 0 ? places_ * model.shape().vocabulary : 0),
      log_sums_(places_) {}

std::size_t Head::floats(const Model& model, std::size_t tokens) {
  const std::size_t tables = model.shape().logit_cap > 0 ? 2 : 1;
  return places(model, tokens) * (3 * model.shape().width + tables * model.shape().vocabulary + 1);
}

void Head::gather(std::span<const std::uint32_t> tokens, const float* x) {
  const std::size_t width = model_.shape().width;
  for (std::size_t place = 0; place < tokens.size(); ++place)
    std::copy_n(x + tokens[place] * width, width, gathered_.data() + place * width);
  normalise({team_, model_.final_norm(), model_.shape().norm_epsilon, tokens.size()}, gathered_.data(), input_.data());
}

void Head::multiply_weight(std::size_t places, float* out) {
  const BaseMatrix& weight = model_.head();
  if (scratch_.offload != nullptr && scratch_.offload->takes(weight)) {
    const Offload::Product product{&weight, out};
    scratch_.offload->multiply(std::span(&product, 1), input_.data(), places);
    return;
  }
  const std::size_t step = LinearScratch::slice_rows(weight);
  for (std::size_t first = 0; first < weight.out; first += step) {
    const std::size_t rows = std::min(step, weight.out - first);
    const float* w = base_rows(team_, scratch_, weight, first, rows);
    multiply(team_, {places, rows, weight.in, 1, 0, scratch_.precision}, rows_of(input_.data(), weight.in),
             rows_of(w, weight.in).transposed(), out + first, weight.out);
  }
}

void Head::multiply_weight_back(std::size_t places) {
  const BaseMatrix& weight = model_.head();
  if (scratch_.offload != nullptr && scratch_.offload->takes_back(weight)) {
    const Offload::Gradient gradient{&weight, logits_.data()};
    scratch_.offload->multiply_back(std::span(&gradient, 1), d_input_.data(), places);
    return;
  }
  const std::size_t step = LinearScratch::slice_rows(weight);
  for (std::size_t first = 0; first < weight.out; first += step) {
    const std::size_t rows = std::min(step, weight.out - first);
    const float* w = base_rows(team_, scratch_, weight, first, rows);
    multiply(team_, {places, weight.in, rows, 1, first == 0 ? 0.0F : 1.0F, scratch_.precision}, rows_of(logits_.data() + first, weight.out),
             rows_of(w, weight.in), d_input_.data(), weight.in);
  }
}

void Head::logits_of_gathered(std::size_t places, float* out) {
  const BaseMatrix& weight = model_.head();
  multiply_weight(places, out);
  const float cap = model_.shape().logit_cap;
  const auto& bias = model_.head_bias();
  if (bias.empty() && cap == 0) return;
  team_.for_each(places, [&](std::size_t place, std::size_t) {
    float* row = out + place * weight.out;
    if (!bias.empty()) kernels().add(row, bias.data(), weight.out);
    if (cap > 0) kernels().soft_cap(row, row, 1, cap, weight.out);
  });
}

// Leaves exp(logit - largest) where the logits were, and in log_sums_ the sum of these.
void Head::log_probabilities(const Chunk& chunk) {
  const std::size_t vocabulary = model_.shape().vocabulary;
  team_.for_each(chunk.trained.size(), [&](std::size_t place, std::size_t) {
    float* row = logits_.data() + place * vocabulary;
    if (capped_.size() > 0) std::copy_n(row, vocabulary, capped_.data() + place * vocabulary);
    const float wanted = row[chunk.trained[place].next];
    const float most = kernels().largest(row, vocabulary);
    const float sum = kernels().exponentials(row, row, 1, most, vocabulary);
    chunk.log_probabilities[place] = wanted - most - std::log(sum);
    log_sums_[place] = sum;
  });
}

// The derivative of log p(next) with respect to the logits: one at next, minus the probabilities.
void Head::gradient_of_logits(const Chunk& chunk, std::span<const float> slopes) {
  const std::size_t vocabulary = model_.shape().vocabulary;
  team_.for_each(chunk.trained.size(), [&](std::size_t place, std::size_t) {
    float* row = logits_.data() + place * vocabulary;
    const float slope = slopes.empty() ? -chunk.trained[place].weight : slopes[place];
    kernels().scale(row, -slope / log_sums_[place], vocabulary);
    row[chunk.trained[place].next] += slope;
    if (capped_.size() > 0) kernels().soft_cap_back(row, capped_.data() + place * vocabulary, 1, model_.shape().logit_cap, vocabulary);
  });
}

void Head::scatter(const Chunk& chunk, float* d_x) {
  const std::size_t width = model_.shape().width;
  multiply_weight_back(chunk.trained.size());
  normalise_back({team_, model_.final_norm(), model_.shape().norm_epsilon, chunk.trained.size()}, gathered_.data(), d_input_.data(),
                 d_input_.data(), Gradient::replace);
  for (std::size_t place = 0; place < chunk.trained.size(); ++place)
    std::copy_n(d_input_.data() + place * width, width, d_x + chunk.trained[place].token * width);
}

std::vector<float> Head::score(std::span<const MicroBatch::Trained> trained, const float* x) {
  std::vector<float> out(trained.size());
  std::vector<std::uint32_t> tokens;
  for (std::size_t first = 0; first < trained.size(); first += places_) {
    const auto some = trained.subspan(first, std::min(places_, trained.size() - first));
    tokens.clear();
    for (const auto& place : some) tokens.push_back(place.token);
    gather(tokens, x);
    logits_of_gathered(some.size(), logits_.data());
    log_probabilities({some, out.data() + first});
  }
  return out;
}

std::vector<float> Head::score_back(const MicroBatch& batch, std::span<const float> slopes, const float* x, float* d_x) {
  const std::span trained(batch.trained);
  std::fill_n(d_x, batch.tokens.size() * model_.shape().width, 0.0F);
  std::vector<float> out(trained.size());
  std::vector<std::uint32_t> tokens;
  for (std::size_t first = 0; first < trained.size(); first += places_) {
    const auto some = trained.subspan(first, std::min(places_, trained.size() - first));
    const Chunk chunk{some, out.data() + first};
    tokens.clear();
    for (const auto& place : some) tokens.push_back(place.token);
    gather(tokens, x);
    logits_of_gathered(some.size(), logits_.data());
    log_probabilities(chunk);
    gradient_of_logits(chunk, slopes.empty() ? slopes : slopes.subspan(first, some.size()));
    scatter(chunk, d_x);
  }
  return out;
}

void Head::logits(std::span<const std::uint32_t> tokens, const float* x, float* out) {
  for (std::size_t first = 0; first < tokens.size(); first += places_) {
    const auto some = tokens.subspan(first, std::min(places_, tokens.size() - first));
    gather(some, x);
    logits_of_gathered(some.size(), out + first * model_.shape().vocabulary);
  }
}

}  // namespace puna::tune
