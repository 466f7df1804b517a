// Compiled with -mavx512bf16. Nothing of kernel_body.h here: it would be compiled a second time, for fewer CPUs.
#include <immintrin.h>

#include "tune/arithmetic/kernels_variants.h"

namespace puna::tune {
namespace {

constexpr int kRows = 14;
constexpr int kLanes = 16;

template <int kVectors>
void tile(std::size_t steps, const float* a, std::size_t a_step, const float* b, std::size_t b_step, float alpha, float beta, float* c,
          std::size_t c_row) {
  __m512 sums[kRows][kVectors];
  for (auto& row : sums)
    for (auto& sum : row) sum = _mm512_setzero_ps();
  for (std::size_t k = 0; k < steps; ++k) {
    __m512bh right[kVectors];
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) right[j] = (__m512bh)_mm512_loadu_ps(b + j * kLanes);
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
      const auto left = (__m512bh)_mm512_set1_ps(a[i]);
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) sums[i][j] = _mm512_dpbf16_ps(sums[i][j], left, right[j]);
    }
    a += a_step;
    b += b_step;
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) {
      float* to = c + static_cast<std::size_t>(i) * c_row + j * kLanes;
      __m512 out = _mm512_mul_ps(_mm512_set1_ps(alpha), sums[i][j]);
      if (beta != 0) out = _mm512_fmadd_ps(_mm512_set1_ps(beta), _mm512_loadu_ps(to), out);
      _mm512_storeu_ps(to, out);
    }
  }
}

}  // namespace

const PairKernels* avx512_pair_kernels() {
  static constexpr PairKernels kTable{.tile = tile<2>, .narrow_tile = tile<1>};
  return &kTable;
}

}  // namespace puna::tune
