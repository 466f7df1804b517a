// The products with the model's weights on a device: nearly all of a step's work.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "tune/arithmetic/team.h"
#include "tune/offload/placement.h"

namespace puna::tune {

// One caller at a time. Once a product has failed, results are undefined: ask status() before they are used.
class Offload {
 public:
  // Uploads the weights of a placement. What the device refuses after all is left to the CPU, see placement() and notes().
  Offload(Placement placement, Team& team);
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;
  ~Offload();

  // Whether y = W x is computed there, and whether the way back is.
  [[nodiscard]] bool takes(const BaseMatrix& weight) const;
  [[nodiscard]] bool takes_back(const BaseMatrix& weight) const;

  // y [tokens, out] = W x for each of them, from the same x [tokens, in].
  struct Product {
    const BaseMatrix* weight;
    float* y;
  };
  void multiply(std::span<const Product> products, const float* x, std::size_t tokens);
  // d_x [tokens, in] = the sum of W^T d_y.
  struct Gradient {
    const BaseMatrix* weight;
    const float* d_y;
  };
  void multiply_back(std::span<const Gradient> gradients, float* d_x, std::size_t tokens);

  // Code::upstream_failed after the first failure of the device.
  [[nodiscard]] Result<> status() const;

  [[nodiscard]] const Placement& placement() const { return placement_; }
  // For people: what went other than planned.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  class Engine;
  Placement placement_;
  std::vector<std::string> notes_;
  std::optional<Error> failure_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace puna::tune
