// Products of matrices, the bulk of training's work.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tune/arithmetic/kernels.h"
#include "tune/arithmetic/team.h"

namespace puna::tune {

// A matrix somewhere in memory; element (i, j) is data[i row + j column]. For a product, one of row and column is 1.
struct Matrix {
  const float* data = nullptr;
  std::size_t row = 0;
  std::size_t column = 1;

  [[nodiscard]] Matrix transposed() const { return {data, column, row}; }
};
[[nodiscard]] inline Matrix rows_of(const float* data, std::size_t row) {
  return {data, row, 1};
}

// What the operands of large products are rounded to; sums are 32 bits wide in any case. Thin products are never rounded.
enum class Precision : std::uint8_t {
  f32,
  bf16,  // bfloat16: 8 bits of mantissa, about twice as fast where the CPU has an instruction for it
};
// Whether this CPU multiplies in that precision.
[[nodiscard]] bool can_multiply(Precision precision);

struct Product {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t depth = 0;  // over which is summed
  float alpha = 1;
  float beta = 0;
  Precision precision = Precision::f32;
  const Kernels* kernels = nullptr;  // null: the fastest; others for tests, in 32 bits only
};

// c = beta c + alpha a b, with a [rows, depth], b [depth, columns] and c [rows, columns] in rows of c_row floats. With beta 0, what was in
// c does not matter. The result is the same to the last bit whatever the size of the team.
void multiply(Team& team, const Product& size, Matrix a, Matrix b, float* c, std::size_t c_row);

// The same by one thread of a team, inside one of its tasks: for many small products at once.
void multiply_alone(Team& team, std::size_t thread, const Product& size, Matrix a, Matrix b, float* c, std::size_t c_row);

// What a team's scratch grows to by products of that depth and so many columns.
[[nodiscard]] std::size_t product_scratch_floats(std::size_t threads, std::size_t depth, std::size_t columns);

}  // namespace puna::tune
