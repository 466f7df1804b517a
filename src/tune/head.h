// From the last layer's output to the probability of each next token that is trained, and back. The table of logits exists for a few places
// at a time only, and for places that are not trained never.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tune/arithmetic/floats.h"
#include "tune/batch.h"
#include "tune/linear.h"
#include "tune/model.h"

namespace puna::tune {

class Head {
 public:
  Head(const Model& model, Team& team, LinearScratch& scratch, std::size_t tokens);
  [[nodiscard]] static std::size_t floats(const Model& model, std::size_t tokens);
  // That many of up to so many tokens go through the output's weight together.
  [[nodiscard]] static std::size_t places(const Model& model, std::size_t tokens);

  // The logarithm of the probability of each of `trained`, from x [tokens, width].
  [[nodiscard]] std::vector<float> score(std::span<const MicroBatch::Trained> trained, const float* x);
  // The same, and with d the loss's derivative with respect to each of these logarithms: d_x [tokens, width] is set to the gradient.
  // When `slopes` is empty, the loss is the cross-entropy: each slope is minus the weight.
  std::vector<float> score_back(const MicroBatch& batch, std::span<const float> slopes, const float* x, float* d_x);
  // Logits [places, vocabulary] of some tokens' outputs.
  void logits(std::span<const std::uint32_t> tokens, const float* x, float* out);

 private:
  struct Chunk {
    std::span<const MicroBatch::Trained> trained;
    float* log_probabilities;
  };
  void multiply_weight(std::size_t places, float* out);
  void multiply_weight_back(std::size_t places);
  void gather(std::span<const std::uint32_t> tokens, const float* x);
  void logits_of_gathered(std::size_t places, float* out);
  void log_probabilities(const Chunk& chunk);
  void gradient_of_logits(const Chunk& chunk, std::span<const float> slopes);
  void scatter(const Chunk& chunk, float* d_x);

  const Model& model_;
  Team& team_;
  LinearScratch& scratch_;
  std::size_t places_;  // in one chunk
  Floats input_;        // [places, width]: gathered, then normalised
  Floats gathered_;     // [places, width]
  Floats d_input_;      // [places, width]
  Floats logits_;       // [places, vocabulary]
  Floats capped_;       // likewise, as the cap left them; only where there is one
  std::vector<float> log_sums_;
};

}  // namespace puna::tune
