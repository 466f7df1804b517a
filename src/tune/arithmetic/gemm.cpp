// The scheme of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008): blocks of both operands are copied into
// the order in which the innermost loop reads them. Thin products, such as those with a LoRA matrix, would spend their time copying and
// read their operands where they are.
#include "tune/arithmetic/gemm.h"

#include <algorithm>

namespace puna::tune {
namespace {

constexpr std::size_t kDepthBlock = 512;
constexpr std::size_t kRowBlock = 168;  // 168 x 512 floats lie in half of a 1 MiB cache
constexpr std::size_t kColumnBlock = 4096;
constexpr std::size_t kThin = 48;
constexpr std::size_t kSlack = 16;  // Kernels::pack writes beyond the end
constexpr std::size_t kMaxTileRows = 16;
constexpr std::size_t kMaxTileColumns = 32;

std::size_t parts(std::size_t whole, std::size_t part) {
  return (whole + part - 1) / part;
}

// Even blocks of at most `most`, each a multiple of `unit`.
std::size_t even_block(std::size_t whole, std::size_t most, std::size_t unit, std::size_t multiple_of = 1) {
  const std::size_t count = parts(parts(whole, most), multiple_of) * multiple_of;
  return std::max<std::size_t>(parts(parts(whole, count), unit) * unit, unit);
}

struct Block {
  std::size_t begin;
  std::size_t end;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};
Block block_of(std::size_t index, std::size_t block, std::size_t whole) {
  return {std::min(index * block, whole), std::min((index + 1) * block, whole)};
}

// How operands are laid out for a tile: one number for each step of the depth, or two rounded ones.
struct Form {
  const Kernels& kernel;
  Kernels::Tile tile;
  Kernels::Tile narrow_tile;
  std::size_t steps_each;  // of the depth, in one of the tile's

  [[nodiscard]] std::size_t steps(std::size_t depth) const { return parts(depth, steps_each); }
};
Form form_of(const Product& size, Precision precision) {
  const Kernels& kernel = size.kernels != nullptr ? *size.kernels : kernels();
  const PairKernels* pairs = precision == Precision::bf16 ? pair_kernels() : nullptr;
  if (pairs != nullptr) return {kernel, pairs->tile, pairs->narrow_tile, 2};
  return {kernel, kernel.tile, kernel.narrow_tile, 1};
}

// One strip: `lanes` rows of `from` (of which `count` exist) side by side, step by step.
void pack_strip(const Form& form, const Matrix& from, std::size_t first, std::size_t count, const Block& depth, std::size_t lanes,
                float* to) {
  const float* source = from.data + first * from.row + depth.begin * from.column;
  if (from.column == 1) {
    (form.steps_each == 2 ? form.kernel.pack_pairs : form.kernel.pack)(source, from.row, count, depth.size(), to, lanes);
  } else if (form.steps_each == 2) {
    for (std::size_t step = 0; step < depth.size(); step += 2, source += 2 * from.column, to += lanes)
      form.kernel.pair_rows(source, step + 1 < depth.size() ? source + from.column : nullptr, count, to, lanes);
  } else {
    for (std::size_t step = 0; step < depth.size(); ++step, source += from.column, to += lanes) {
      std::copy_n(source, count, to);
      std::fill(to + count, to + lanes, 0.0F);
    }
  }
}

struct Target {
  float* data;
  std::size_t row;
  float alpha;
  float beta;
};

// One tile of the result; those at the edge are computed whole and copied in part.
void tile(const Form& form, std::size_t steps, const float* a, std::size_t a_step, const float* b, std::size_t b_step, std::size_t rows,
          std::size_t columns, const Target& c) {
  const Kernels& kernel = form.kernel;
  if (rows == kernel.tile_rows && columns == kernel.tile_columns) {
    form.tile(steps, a, a_step, b, b_step, c.alpha, c.beta, c.data, c.row);
    return;
  }
  alignas(64) float whole[kMaxTileRows * kMaxTileColumns];
  const bool narrow = columns <= kernel.width;
  (narrow ? form.narrow_tile : form.tile)(steps, a, a_step, b, b_step, c.alpha, 0, whole, kMaxTileColumns);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      float& to = c.data[i * c.row + j];
      const float value = whole[i * kMaxTileColumns + j];
      to = c.beta == 0 ? value : c.beta * to + value;
    }
  }
}

// Rows of a packed A against columns of a packed B.
void block_product(const Form& form, std::size_t steps, const float* a, std::size_t rows, const float* b, std::size_t columns,
                   const Target& c) {
  const Kernels& kernel = form.kernel;
  for (std::size_t j = 0; j < columns; j += kernel.tile_columns) {
    const float* b_strip = b + j * steps;
    for (std::size_t i = 0; i < rows; i += kernel.tile_rows) {
      tile(form, steps, a + i * steps, kernel.tile_rows, b_strip, kernel.tile_columns, std::min(kernel.tile_rows, rows - i),
           std::min(kernel.tile_columns, columns - j), {c.data + i * c.row + j, c.row, c.alpha, c.beta});
    }
  }
}

void pack_rows(const Form& form, const Matrix& a, const Block& rows, const Block& depth, float* to) {
  const std::size_t lanes = form.kernel.tile_rows;
  for (std::size_t i = rows.begin; i < rows.end; i += lanes, to += lanes * form.steps(depth.size()))
    pack_strip(form, a, i, std::min(lanes, rows.end - i), depth, lanes, to);
}

void pack_column_strip(const Form& form, const Matrix& b, std::size_t begin, std::size_t end, const Block& depth, float* to) {
  pack_strip(form, b.transposed(), begin, std::min(form.kernel.tile_columns, end - begin), depth, form.kernel.tile_columns, to);
}

// How whoever computes gets work done in parallel: a team, or one thread for itself.
struct Crew {
  Team& team;
  std::size_t size;
  std::size_t alone;  // the thread, when size is 1

  template <class Work>
  void for_each(std::size_t tasks, const Work& work) const {
    if (size == 1)
      for (std::size_t task = 0; task < tasks; ++task) work(task, alone);
    else
      team.for_each(tasks, work);
  }
};

constexpr auto kLeft = Team::Use::left;
constexpr auto kRight = Team::Use::right;

void packed_product(const Crew& crew, const Product& size, const Matrix& a, const Matrix& b, float* c, std::size_t c_row) {
  const Form form = form_of(size, size.precision);
  const Kernels& kernel = form.kernel;
  const std::size_t depth_block = even_block(size.depth, kDepthBlock * form.steps_each, form.steps_each);
  const std::size_t most_steps = form.steps(depth_block);
  const std::size_t column_block = even_block(size.columns, kColumnBlock, kernel.tile_columns);
  const std::size_t row_block =
      even_block(size.rows, kRowBlock, kernel.tile_rows, size.rows > kernel.tile_rows * crew.size ? crew.size : 1);
  const std::size_t row_blocks = parts(size.rows, row_block);
  float* packed_b = crew.team.scratch(crew.alone, kRight, most_steps * column_block + kSlack);
  for (std::size_t k = 0; k < size.depth; k += depth_block) {
    const Block depth{k, std::min(k + depth_block, size.depth)};
    const std::size_t steps = form.steps(depth.size());
    for (std::size_t n = 0; n < size.columns; n += column_block) {
      const Block columns{n, std::min(n + column_block, size.columns)};
      const std::size_t strips = parts(columns.size(), kernel.tile_columns);
      crew.for_each(strips, [&](std::size_t strip, std::size_t) {
        const std::size_t at = strip * kernel.tile_columns;
        pack_column_strip(form, b, columns.begin + at, columns.end, depth, packed_b + at * steps);
      });
      // Few rows: the columns are shared out as well.
      const std::size_t shares = row_blocks >= crew.size ? 1 : std::min(parts(crew.size, row_blocks), strips);
      const std::size_t share = parts(strips, shares) * kernel.tile_columns;
      crew.for_each(row_blocks * shares, [&](std::size_t task, std::size_t thread) {
        const Block rows = block_of(task / shares, row_block, size.rows);
        const Block part = block_of(task % shares, share, columns.size());
        if (part.size() == 0 || rows.size() == 0) return;
        float* packed_a = crew.team.scratch(thread, kLeft, row_block * most_steps + kSlack);
        pack_rows(form, a, rows, depth, packed_a);
        block_product(form, steps, packed_a, rows.size(), packed_b + part.begin * steps, part.size(),
                      {c + rows.begin * c_row + columns.begin + part.begin, c_row, size.alpha, k == 0 ? size.beta : 1.0F});
      });
    }
  }
}

// a [rows, depth] in rows, few columns: dot products along the depth, nothing of a is copied.
void dot_product(const Crew& crew, const Product& size, const Matrix& a, const Matrix& b, float* c, std::size_t c_row) {
  constexpr std::size_t kRows = 64;
  const Kernels& kernel = form_of(size, Precision::f32).kernel;
  const float* right = b.data;
  std::size_t right_row = b.column;
  if (b.row != 1) {
    float* copy = crew.team.scratch(crew.alone, kRight, size.columns * size.depth);
    for (std::size_t k = 0; k < size.depth; ++k)
      for (std::size_t j = 0; j < size.columns; ++j) copy[j * size.depth + k] = b.data[k * b.row + j];
    right = copy;
    right_row = size.depth;
  }
  crew.for_each(parts(size.rows, kRows), [&](std::size_t task, std::size_t) {
    const Block rows = block_of(task, kRows, size.rows);
    kernel.dots(rows.size(), size.columns, size.depth, a.data + rows.begin * a.row, a.row, right, right_row, size.alpha, size.beta,
                c + rows.begin * c_row, c_row);
  });
}

// a [rows, depth] in columns, few columns in b: a tile reads its rows of a where they are.
void column_product(const Crew& crew, const Product& size, const Matrix& a, const Matrix& b, float* c, std::size_t c_row) {
  const Form form = form_of(size, Precision::f32);
  const Kernels& kernel = form.kernel;
  const std::size_t strips = parts(size.columns, kernel.tile_columns);
  float* packed_b = crew.team.scratch(crew.alone, kRight, strips * kernel.tile_columns * size.depth + kSlack);
  const Block depth{0, size.depth};
  for (std::size_t j = 0; j < size.columns; j += kernel.tile_columns)
    pack_column_strip(form, b, j, size.columns, depth, packed_b + j * size.depth);
  crew.for_each(parts(size.rows, kernel.tile_rows), [&](std::size_t task, std::size_t thread) {
    const Block rows = block_of(task, kernel.tile_rows, size.rows);
    const float* left = a.data + rows.begin;
    std::size_t left_step = a.column;
    if (rows.size() < kernel.tile_rows) {  // must not read beyond the last column
      float* copy = crew.team.scratch(thread, kLeft, kernel.tile_rows * size.depth + kSlack);
      pack_rows(form, a, rows, depth, copy);
      left = copy;
      left_step = kernel.tile_rows;
    }
    for (std::size_t j = 0; j < size.columns; j += kernel.tile_columns) {
      tile(form, size.depth, left, left_step, packed_b + j * size.depth, kernel.tile_columns, rows.size(),
           std::min(kernel.tile_columns, size.columns - j), {c + rows.begin * c_row + j, c_row, size.alpha, size.beta});
    }
  });
}

// Few rows, b in rows: a tile reads its columns of b where they are.
void row_product(const Crew& crew, const Product& size, const Matrix& a, const Matrix& b, float* c, std::size_t c_row) {
  const Form form = form_of(size, Precision::f32);
  const Kernels& kernel = form.kernel;
  const Block depth{0, size.depth};
  float* packed_a = crew.team.scratch(crew.alone, kLeft, parts(size.rows, kernel.tile_rows) * kernel.tile_rows * size.depth + kSlack);
  pack_rows(form, a, {0, size.rows}, depth, packed_a);
  crew.for_each(parts(size.columns, kernel.tile_columns), [&](std::size_t task, std::size_t thread) {
    const Block columns = block_of(task, kernel.tile_columns, size.columns);
    const float* right = b.data + columns.begin;
    std::size_t right_step = b.row;
    if (columns.size() < kernel.tile_columns) {
      float* copy = crew.team.scratch(thread, kRight, kernel.tile_columns * size.depth + kSlack);
      pack_column_strip(form, b, columns.begin, columns.end, depth, copy);
      right = copy;
      right_step = kernel.tile_columns;
    }
    for (std::size_t i = 0; i < size.rows; i += kernel.tile_rows) {
      tile(form, size.depth, packed_a + i * size.depth, kernel.tile_rows, right, right_step, std::min(kernel.tile_rows, size.rows - i),
           columns.size(), {c + i * c_row + columns.begin, c_row, size.alpha, size.beta});
    }
  });
}

void multiply_by(const Crew& crew, const Product& size, const Matrix& a, const Matrix& b, float* c, std::size_t c_row) {
  if (size.rows == 0 || size.columns == 0) return;
  if (size.columns <= kThin && a.column == 1)
    dot_product(crew, size, a, b, c, c_row);
  else if (size.columns <= kThin && a.row == 1)
    column_product(crew, size, a, b, c, c_row);
  else if (size.rows <= kThin && b.column == 1)
    row_product(crew, size, a, b, c, c_row);
  else
    packed_product(crew, size, a, b, c, c_row);
}

}  // namespace

bool can_multiply(Precision precision) {
  return precision == Precision::f32 || pair_kernels() != nullptr;
}

void multiply(Team& team, const Product& size, Matrix a, Matrix b, float* c, std::size_t c_row) {
  multiply_by({team, team.size(), 0}, size, a, b, c, c_row);
}

void multiply_alone(Team& team, std::size_t thread, const Product& size, Matrix a, Matrix b, float* c, std::size_t c_row) {
  multiply_by({team, 1, thread}, size, a, b, c, c_row);
}

std::size_t product_scratch_floats(std::size_t threads, std::size_t depth, std::size_t columns) {
  return std::min(depth, kDepthBlock) * (std::min(columns, kColumnBlock) + threads * kRowBlock);
}

}  // namespace puna::tune
