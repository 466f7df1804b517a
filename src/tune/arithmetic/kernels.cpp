#include "tune/arithmetic/kernels.h"

#include <initializer_list>

#include "tune/arithmetic/kernels_variants.h"

namespace puna::tune {

const Kernels* kernels_of_width(std::size_t width) {
#if defined(__x86_64__)
  if (width == 16) return __builtin_cpu_supports("avx512f") ? avx512_kernels() : nullptr;
  if (width == 8)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") ? avx2_kernels() : nullptr;
#endif
  return width == 4 ? portable_kernels() : nullptr;
}

const Kernels& kernels() {
  static const Kernels& fastest = *[] {
    for (const std::size_t width : {16UZ, 8UZ})
      if (const auto* found = kernels_of_width(width)) return found;
    return kernels_of_width(4);
  }();
  return fastest;
}

const PairKernels* pair_kernels() {
#if defined(__x86_64__)
  if (kernels().width == 16 && __builtin_cpu_supports("avx512bf16")) return avx512_pair_kernels();
#endif
  return nullptr;
}

}  // namespace puna::tune
