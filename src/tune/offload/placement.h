// What of a training a device computes, and what is left to the CPU and why: known before a byte is uploaded.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/units.h"
#include "tune/arithmetic/gemm.h"
#include "tune/model.h"
#include "tune/offload/device.h"
#include "tune/offload/device_graph.h"

namespace puna::tune {

struct PlacementOptions {
  Precision precision = Precision::f32;  // f32: weights as 32-bit numbers; bf16: as bfloat16, to which backends then round the rest too
  std::size_t tokens = 0;                // of the largest product
  std::size_t head_tokens = 0;           // of the largest with the output's weight
  Bytes slice = mib(256);                // of a weight, in one product
};

struct Placement {
  struct Weight {
    const BaseMatrix* matrix = nullptr;
    WayBack back = WayBack::none;
    std::size_t group = 0;   // of those that share an input
    std::size_t tokens = 0;  // of its largest product
    Bytes bytes;             // on the device
  };
  enum class Way : bool { both, backward };
  struct Left {
    const BaseMatrix* matrix;
    Way way;
    std::string reason;
  };
  Device device;
  PlacementOptions options;
  std::vector<Weight> weights;  // on the device, the largest use first
  std::vector<Left> left;       // to the CPU
  Bytes working;                // beside the weights

  [[nodiscard]] Bytes memory() const;  // of the device; zero without weights
};

// The products with the model's weights, as many as the device can do and has memory for. Uploads nothing.
[[nodiscard]] Placement place(const Model& model, const Device& device, const PlacementOptions& options);

// A line of the list of all that a step does.
struct Work {
  std::string operation;  // "products with weights, backward"
  std::string place;      // "CUDA0", "CPU"
  std::string tensors;    // "output; attn_k, attn_q of layers 0 to 29"
  std::string reason;     // why not on the device; empty there
};
[[nodiscard]] std::vector<Work> work_of(const Placement& placement);

}  // namespace puna::tune
