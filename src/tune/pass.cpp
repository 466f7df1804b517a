#include "tune/pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tune/arithmetic/kernels.h"
#include "tune/attention.h"

namespace puna::tune {
namespace {

std::size_t kept_layers(const Shape& shape, const PassOptions& options) {
  return options.recompute == Recompute::nothing ? shape.layers : 1;
}

// What the team's threads keep for the largest of the products with a weight, forward and back.
std::size_t team_floats(const Model& model, std::size_t threads) {
  std::size_t most = 0;
  const auto see = [&](const BaseMatrix& weight) {
    const std::size_t rows = LinearScratch::slice_rows(weight);
    most = std::max({most, product_scratch_floats(threads, weight.in, rows), product_scratch_floats(threads, rows, weight.in)});
  };
  see(model.head());
  for (const auto& names : model.targets()) see(model.layer(0).linear(names.target).weight);
  return most;
}

}  // namespace

Pass::Pass(const Model& model, Team& team, const Adapter* adapter, const PassOptions& options)
    : model_(model),
      team_(team),
      options_(options),
      rotation_(model.shape(), model.frequency_factors(options.longest), options.longest),
      offload_(options.device ? std::make_unique<Offload>(placement(model, options), team) : nullptr),
      scratch_(model, adapter, options.most_tokens),
      head_(model, team, scratch_, options.most_tokens),
      backward_(model.shape(), adapter == nullptr ? 0 : options.most_tokens),
      gradient_(adapter == nullptr ? 0 : options.most_tokens * model.shape().width) {
  scratch_.precision = can_multiply(options.precision) ? options.precision : Precision::f32;
  scratch_.offload = offload_.get();
  if (model.shape().window > 0) window_rotation_.emplace(Rotation::of_windows(model.shape(), options.longest));
  const std::size_t kept = adapter == nullptr ? 1 : kept_layers(model.shape(), options);
  for (std::size_t layer = 0; layer < kept; ++layer) activations_.emplace_back(model.shape(), options.most_tokens);
  const std::size_t inputs = adapter == nullptr ? 2 : model.shape().layers + 1;
  for (std::size_t layer = 0; layer < inputs; ++layer) inputs_.emplace_back(options.most_tokens * model.shape().width);
}

Bytes Pass::memory(const Model& model, const Adapter* adapter, std::size_t threads, const PassOptions& options) {
  const Shape& shape = model.shape();
  const std::size_t tokens = options.most_tokens;
  const bool trains = adapter != nullptr;
  const std::size_t rotations = shape.window > 0 ? 2 : 1;
  std::size_t floats =
      rotations * Rotation::floats(shape, options.longest) + LinearScratch::floats(model, adapter, tokens) + Head::floats(model, tokens);
  floats += (trains ? kept_layers(shape, options) : 1) * Activations::floats(shape, tokens);
  floats += trains ? BackwardScratch::floats(shape, tokens) : 0;
  floats += (trains ? shape.layers + 2 : 2) * tokens * shape.width;
  floats += threads * attention_scratch_floats(shape, options.longest) + team_floats(model, threads);
  return Bytes(floats * sizeof(float));
}

Placement Pass::placement(const Model& model, const PassOptions& options) {
  return place(model, *options.device,
               {.precision = options.precision, .tokens = options.most_tokens, .head_tokens = Head::places(model, options.most_tokens)});
}

Result<> Pass::device_status() const {
  return offload_ ? offload_->status() : Result<>();
}

Result<> Pass::go_on(const std::stop_token& stop) const {
  if (stop.stop_requested()) return fail(Code::cancelled, "the training was stopped");
  return device_status();
}

Result<> Pass::check(const MicroBatch& batch) const {
  if (batch.tokens.size() > options_.most_tokens)
    return fail(Code::too_large, fmt::format("a micro-batch has {} tokens; memory is for {}", batch.tokens.size(), options_.most_tokens));
  if (batch.longest() > options_.longest)
    return fail(Code::too_large, fmt::format("a row has {} tokens; memory is for {}", batch.longest(), options_.longest));
  return {};
}

BlockCall Pass::block(const MicroBatch& batch, const Adapter* adapter, std::size_t layer, std::uint64_t key, Mode mode) {
  return {.team = team_,
          .model = model_,
          .batch = batch,
          .rotation = window_rotation_ && model_.shape().window_of(layer) > 0 ? *window_rotation_ : rotation_,
          .scratch = scratch_,
          .adapter = adapter,
          .layer = layer,
          .dropout_key = key,
          .dropout = mode == Mode::train};
}

Activations& Pass::activations(std::size_t layer) {
  return activations_[activations_.size() == 1 ? 0 : layer];
}

float* Pass::input_of(std::size_t layer, Mode mode) {
  return inputs_[mode == Mode::train ? layer : layer % 2].data();
}

void Pass::embed(const MicroBatch& batch, float* x) {
  const BaseMatrix& table = model_.embedding();
  const bool scaled = model_.shape().architecture->scaled_embedding;
  const float root = std::sqrt(static_cast<float>(table.in));
  team_.for_each(batch.tokens.size(), [&](std::size_t token, std::size_t) {
    read_rows(table, static_cast<std::size_t>(batch.tokens[token]), 1, x + token * table.in);
    if (scaled) kernels().scale(x + token * table.in, root, table.in);
  });
}

Result<const float*> Pass::forward(const MicroBatch& batch, const Adapter* adapter, std::uint64_t key, Mode mode,
                                   const std::stop_token& stop) {
  PUNA_CHECK(check(batch));
  embed(batch, input_of(0, mode));
  const std::size_t layers = model_.shape().layers;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    PUNA_CHECK(go_on(stop));
    tune::forward(block(batch, adapter, layer, key, mode), input_of(layer, mode), activations(layer), input_of(layer + 1, mode));
  }
  return input_of(layers, mode);
}

Result<> Pass::backward(const MicroBatch& batch, Adapter& adapter, std::uint64_t key, const std::stop_token& stop) {
  const std::size_t lowest = adapter.first_layer();
  for (std::size_t layer = model_.shape().layers; layer-- > lowest;) {
    PUNA_CHECK(go_on(stop));
    const BlockCall call = block(batch, &adapter, layer, key, Mode::train);
    const float* x = input_of(layer, Mode::train);
    if (activations_.size() == 1 && layer + 1 < model_.shape().layers) tune::forward(call, x, activations(layer), nullptr);
    const Below below = layer == lowest ? Below::needs_none : Below::needs_gradient;
    tune::backward(call, adapter, x, activations(layer), backward_, gradient_.data(), below);
  }
  return device_status();
}

Result<std::vector<float>> Pass::score(const MicroBatch& batch, const Adapter* adapter, const std::stop_token& stop) {
  PUNA_TRY(const float* x, forward(batch, adapter, 0, Mode::score, stop));
  auto out = head_.score(batch.trained, x);
  PUNA_CHECK(device_status());
  return out;
}

Result<std::vector<float>> Pass::train(const MicroBatch& batch, Adapter& adapter, std::uint64_t key, const std::stop_token& stop) {
  PUNA_TRY(const float* x, forward(batch, &adapter, key, Mode::train, stop));
  auto out = head_.score_back(batch, {}, x, gradient_.data());
  PUNA_CHECK(backward(batch, adapter, key, stop));
  return out;
}

Result<std::vector<float>> Pass::train(const MicroBatch& batch, Adapter& adapter, std::uint64_t key, const Slopes& slopes,
                                       const std::stop_token& stop) {
  PUNA_TRY(const float* x, forward(batch, &adapter, key, Mode::train, stop));
  const auto before = head_.score(batch.trained, x);
  PUNA_CHECK(device_status());
  const auto by_place = slopes(before);
  auto out = head_.score_back(batch, by_place, x, gradient_.data());
  PUNA_CHECK(backward(batch, adapter, key, stop));
  return out;
}

Result<std::vector<float>> Pass::logits(const MicroBatch& batch, std::span<const std::uint32_t> places, const Adapter* adapter) {
  PUNA_TRY(const float* x, forward(batch, adapter, 0, Mode::score, {}));
  std::vector<float> out(places.size() * model_.shape().vocabulary);
  head_.logits(places, x, out.data());
  PUNA_CHECK(device_status());
  return out;
}

}  // namespace puna::tune
