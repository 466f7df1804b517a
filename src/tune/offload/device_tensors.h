// Weights as ggml's tensors, in the type that a device has them in.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tune/arithmetic/gemm.h"
#include "tune/base_matrix.h"
#include "tune/offload/device_graph.h"

struct ggml_backend_buffer;

namespace puna::tune {

struct Placement;

class DeviceTensors {
 public:
  // Sizes and types, on a device that has no memory for them yet: enough to ask it what it can do with them.
  DeviceTensors(std::span<const BaseMatrix* const> matrices, Precision precision, ggml_backend_device* device);

  [[nodiscard]] ggml_tensor* operator[](std::size_t index) const { return tensors_[index]; }

  // Takes memory on the device for one and fills it; false when the device has none.
  [[nodiscard]] bool upload(std::size_t index, Team& team);

 private:
  struct FreeContext {
    void operator()(ggml_context* context) const;
  };
  struct FreeBuffer {
    void operator()(ggml_backend_buffer* buffer) const;
  };
  std::vector<const BaseMatrix*> matrices_;
  ggml_backend_device* device_;
  std::unique_ptr<ggml_backend_buffer, FreeBuffer> nowhere_;
  std::vector<std::unique_ptr<ggml_backend_buffer, FreeBuffer>> buffers_;
  std::unique_ptr<ggml_context, FreeContext> context_;
  std::vector<ggml_tensor*> tensors_;
};

// Both ways of each group of a placement, with as many tokens as it will ever have. `tensors` are of its weights, in their order.
[[nodiscard]] std::vector<DeviceGraph> largest_graphs(const Placement& placement, const DeviceTensors& tensors);

}  // namespace puna::tune
