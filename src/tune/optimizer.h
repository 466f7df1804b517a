// How parameters follow their gradients.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "tune/adapter.h"
#include "tune/floats.h"
#include "tune/team.h"

namespace puna::tune {

enum class OptimizerKind : std::uint8_t {
  // I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization" (2019), as PyTorch computes it:
  //   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p = (1 - rate decay) p - rate m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
  adamw,
  // m = momentum m + g;  p = (1 - rate decay) p - rate m
  sgd,
};

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
  float weight_decay = 0;
  float momentum = 0;
  float b_rate_ratio = 1;  // B learns so many times faster than A (S. Hayou et al., "LoRA+", 2024)
};

[[nodiscard]] Result<> check(const OptimizerOptions& options);

class Optimizer {
 public:
  // For adapters of that many parameters.
  Optimizer(const OptimizerOptions& options, std::size_t parameters);
  [[nodiscard]] static Bytes memory(const OptimizerOptions& options, std::size_t parameters);

  // Moves the parameters by their gradients times `factor`.
  void step(Team& team, Adapter& adapter, float rate, float factor);

  // What resuming needs: how many steps were taken, and arrays by name.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  void set_steps(std::uint64_t steps) { steps_ = steps; }
  struct Array {
    std::string_view name;  // "m"
    std::span<float> values;
  };
  [[nodiscard]] std::vector<Array> state();

 private:
  void step_stretch(Adapter& adapter, std::size_t at, std::size_t count, float rate, float factor);

  OptimizerOptions options_;
  std::uint64_t steps_ = 0;
  Floats first_;   // m
  Floats second_;  // v, only AdamW
};

}  // namespace puna::tune
