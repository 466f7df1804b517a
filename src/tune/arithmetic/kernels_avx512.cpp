// Compiled with -mavx512f and what came before it.
#include "tune/arithmetic/kernel_body.h"
#include "tune/arithmetic/kernels_variants.h"

namespace puna::tune {

const Kernels* avx512_kernels() {
  static constexpr Kernels kTable = Body<16, 14>::table("avx512");
  return &kTable;
}

}  // namespace puna::tune
