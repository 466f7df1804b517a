#include "tune/arithmetic/floats.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace puna::tune {

constexpr std::size_t kAlignment = 64;

void Floats::Free::operator()(float* memory) const {
  std::free(memory);
}

Floats::Floats(std::size_t count) : count_(count) {
  const std::size_t bytes = (count * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
  memory_.reset(static_cast<float*>(std::aligned_alloc(kAlignment, std::max(bytes, kAlignment))));
  if (!memory_) throw std::bad_alloc();
}

void Floats::clear() {
  std::fill_n(data(), size(), 0.0F);
}

}  // namespace puna::tune
