// The products of weights that share an input as one ggml graph, so that it travels once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct ggml_backend_device;
struct ggml_cgraph;
struct ggml_context;
struct ggml_tensor;

namespace puna::tune {

// How a device gets from the gradient of y = W x to that of x.
enum class WayBack : std::uint8_t {
  none,     // not at all
  direct,   // over W as it is: ggml's OUT_PROD
  by_copy,  // over a transposed copy of W, which exists while it is needed
};

// Tensors of 32-bit numbers in, and out; a weight is [out, in]. A product takes no more than about `slice` bytes of a weight at once, which
// bounds what backends convert and copy.
class DeviceGraph {
 public:
  // y = W x for each weight: `inputs` is x [tokens, in], `parts` are slices of the results.
  [[nodiscard]] static DeviceGraph forward(std::span<ggml_tensor* const> weights, std::size_t tokens, std::size_t slice);
  // The sum of W^T d_y: `inputs` are each d_y [tokens, out], `parts` are slices of it.
  struct Term {
    ggml_tensor* weight;
    WayBack way;
  };
  [[nodiscard]] static DeviceGraph backward(std::span<const Term> terms, std::size_t tokens, std::size_t slice);

  // The operation that the device lacks for it: "OUT_PROD"; empty when it can do all.
  [[nodiscard]] std::string refused_by(ggml_backend_device* device) const;

  struct Part {
    std::size_t result;   // of which weight; 0 on the way back
    std::size_t first;    // column of the result that it begins with
    std::size_t columns;  // of the whole result
    ggml_tensor* tensor;  // [tokens, its columns]
  };
  [[nodiscard]] std::span<ggml_tensor* const> inputs() const { return inputs_; }
  [[nodiscard]] std::span<const Part> parts() const { return parts_; }
  [[nodiscard]] ggml_cgraph* get() const { return graph_; }
  // Bytes of what goes in and comes out.
  [[nodiscard]] std::size_t travelling() const;

 private:
  struct Free {
    void operator()(ggml_context* context) const;
  };
  explicit DeviceGraph(std::size_t tensors);
  ggml_tensor* input(std::size_t width, std::size_t tokens);
  void add_part(std::size_t result, std::size_t first, std::size_t columns, ggml_tensor* tensor);

  std::unique_ptr<ggml_context, Free> context_;
  ggml_cgraph* graph_;
  std::vector<ggml_tensor*> inputs_;
  std::vector<Part> parts_;
};

}  // namespace puna::tune
