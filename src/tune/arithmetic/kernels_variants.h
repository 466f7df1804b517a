// The kernels that this build has, each in a file compiled for its CPUs.
#pragma once

#include "tune/arithmetic/kernels.h"

namespace puna::tune {

[[nodiscard]] const Kernels* portable_kernels();
#if defined(__x86_64__)
[[nodiscard]] const Kernels* avx2_kernels();
[[nodiscard]] const Kernels* avx512_kernels();
[[nodiscard]] const PairKernels* avx512_pair_kernels();
#endif

}  // namespace puna::tune
