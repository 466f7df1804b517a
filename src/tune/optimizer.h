// How parameters follow their gradients.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "gguf/types.h"
#include "tune/adapter.h"
#include "tune/arithmetic/floats.h"
#include "tune/arithmetic/team.h"
#include "tune/small_moments.h"

namespace puna::tune {

enum class OptimizerKind : std::uint8_t {
  // I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization" (2019), as PyTorch computes it:
  //   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p = (1 - rate decay) p - rate m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
  adamw,
  adamw_8bit,  // the same, with a byte for each m and v
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
    gguf::TensorType type = gguf::TensorType::f32;
    std::size_t count = 0;
    std::span<std::byte> bytes;
  };
  [[nodiscard]] std::vector<Array> state();

 private:
  // Parameters that learn at the same rate.
  struct Stretch {
    std::size_t at = 0;
    std::size_t count = 0;
    float rate = 0;
  };
  [[nodiscard]] std::vector<Stretch> stretches(const Adapter& adapter, float rate) const;
  void step_adamw(const Stretch& stretch, const Adapter& adapter, float* p, float* m, float* v, float factor) const;
  void step_sgd(const Stretch& stretch, Adapter& adapter, float factor);
  void step_block(std::span<const Stretch> all, std::size_t index, Adapter& adapter, float factor);

  OptimizerOptions options_;
  std::uint64_t steps_ = 0;
  Floats first_;   // m
  Floats second_;  // v, only AdamW
  SmallMoments small_first_;
  SmallMoments small_second_;
};

}  // namespace puna::tune
