#include "tune/arithmetic/kernel_body.h"
#include "tune/arithmetic/kernels_variants.h"

namespace puna::tune {

// SSE2 and NEON: 128 bits, which every CPU of these families has.
const Kernels* portable_kernels() {
  static constexpr Kernels kTable = Body<4, 4>::table("128 bits");
  return &kTable;
}

}  // namespace puna::tune
