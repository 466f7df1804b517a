// One micro-batch through the whole model and back.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "tune/adapter.h"
#include "tune/arithmetic/team.h"
#include "tune/batch.h"
#include "tune/block.h"
#include "tune/head.h"
#include "tune/model.h"

namespace puna::tune {

// What the way back finds of the way forward.
enum class Recompute : std::uint8_t {
  each_layer,  // only the layers' inputs: all else is computed again. A quarter more work, a fraction of the memory.
  nothing,     // everything
};

struct PassOptions {
  std::size_t most_tokens = 0;  // in a micro-batch
  std::size_t longest = 0;      // document
  Recompute recompute = Recompute::each_layer;
  Precision precision = Precision::f32;  // of products with the model's weights; without a device see can_multiply()
  std::optional<Device> device = {};     // that they are computed on, as far as it can; null: the CPU
};

// Holds all the memory that a pass needs, so that after the first one nothing grows. `model` and `team` outlive it; of an adapter it keeps
// nothing but the sizes of the one it was made for. With a device, its constructor uploads the weights; what that device fails at later
// ends a pass with Code::upstream_failed.
class Pass {
 public:
  Pass(const Model& model, Team& team, const Adapter* adapter, const PassOptions& options);
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;
  // What the constructor will take, and what the team's scratch will grow to, without the mapped file and the adapter itself.
  [[nodiscard]] static Bytes memory(const Model& model, const Adapter* adapter, std::size_t threads, const PassOptions& options);
  // What the device of the options would do; there must be one.
  [[nodiscard]] static Placement placement(const Model& model, const PassOptions& options);
  // Null where there is no device.
  [[nodiscard]] const Offload* offload() const { return offload_.get(); }

  // The logarithm of the probability of each of the batch's trained tokens. Without an adapter, the base's.
  [[nodiscard]] Result<std::vector<float>> score(const MicroBatch& batch, const Adapter* adapter, const std::stop_token& stop = {});
  // Adds the gradient of the cross-entropy, summed over the trained tokens times their weights, to the adapter's. Dropout is drawn by
  // `key`.
  [[nodiscard]] Result<std::vector<float>> train(const MicroBatch& batch, Adapter& adapter, std::uint64_t key,
                                                 const std::stop_token& stop = {});
  // The same for any loss, by its slopes: from the logarithms (computed with dropout, so that both passes agree) to the derivative of the
  // loss with respect to each.
  using Slopes = std::function<std::vector<float>(std::span<const float> log_probabilities)>;
  [[nodiscard]] Result<std::vector<float>> train(const MicroBatch& batch, Adapter& adapter, std::uint64_t key, const Slopes& slopes,
                                                 const std::stop_token& stop = {});
  // Logits [places, vocabulary] of some tokens' outputs.
  [[nodiscard]] Result<std::vector<float>> logits(const MicroBatch& batch, std::span<const std::uint32_t> places, const Adapter* adapter);

 private:
  enum class Mode : std::uint8_t { score, train };
  [[nodiscard]] Result<> check(const MicroBatch& batch) const;
  [[nodiscard]] Result<> device_status() const;
  // Nobody stops it, and the device is well.
  [[nodiscard]] Result<> go_on(const std::stop_token& stop) const;
  [[nodiscard]] BlockCall block(const MicroBatch& batch, const Adapter* adapter, std::size_t layer, std::uint64_t key, Mode mode);
  [[nodiscard]] Activations& activations(std::size_t layer);
  [[nodiscard]] float* input_of(std::size_t layer, Mode mode);
  void embed(const MicroBatch& batch, float* x);
  // The output of the last layer.
  [[nodiscard]] Result<const float*> forward(const MicroBatch& batch, const Adapter* adapter, std::uint64_t key, Mode mode,
                                             const std::stop_token& stop);
  [[nodiscard]] Result<> backward(const MicroBatch& batch, Adapter& adapter, std::uint64_t key, const std::stop_token& stop);

  const Model& model_;
  Team& team_;
  PassOptions options_;
  Rotation rotation_;
  std::optional<Rotation> window_rotation_;  // where layers have windows
  std::unique_ptr<Offload> offload_;
  LinearScratch scratch_;
  Head head_;
  std::deque<Activations> activations_;  // of each layer, or of the one at hand
  BackwardScratch backward_;
  std::vector<Floats> inputs_;  // [tokens, width] of each layer, and the output of the last
  Floats gradient_;             // [tokens, width]
};

}  // namespace puna::tune
