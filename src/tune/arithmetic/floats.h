// An array of floats of fixed size, aligned for vectors, not set to anything at first.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace puna::tune {

class Floats {
 public:
  Floats() = default;
  // Throws std::bad_alloc like every container; whoever runs a training asks memory.h first whether it fits.
  explicit Floats(std::size_t count);

  [[nodiscard]] float* data() { return memory_.get(); }
  [[nodiscard]] const float* data() const { return memory_.get(); }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::span<float> span() { return {data(), size()}; }
  [[nodiscard]] std::span<const float> span() const { return {data(), size()}; }
  void clear();  // sets all to zero

 private:
  struct Free {
    void operator()(float* memory) const;
  };
  std::unique_ptr<float, Free> memory_;
  std::size_t count_ = 0;
};

}  // namespace puna::tune
