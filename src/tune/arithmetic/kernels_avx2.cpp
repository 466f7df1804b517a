// Compiled with -mavx2 -mfma -mf16c.
#include "tune/arithmetic/kernel_body.h"
#include "tune/arithmetic/kernels_variants.h"

namespace puna::tune {

const Kernels* avx2_kernels() {
  static constexpr Kernels kTable = Body<8, 6>::table("avx2");
  return &kTable;
}

}  // namespace puna::tune
