// What kernels.h promises, written for vectors of any width. Included by the kernels_….cpp only, which are compiled for one kind of CPU
// each: nothing here may be shared between widths, or the linker could choose code for the wrong CPU. So: templates over the width, no
// library.
#pragma once

#include <utility>

#include "tune/arithmetic/kernels.h"

namespace puna::tune {

template <int kWidth, int kTileRows>
struct Body {
  using Vector = float __attribute__((vector_size(kWidth * 4)));
  using Integers = int __attribute__((vector_size(kWidth * 4)));
  static constexpr std::size_t kStep = kWidth;
  static constexpr int kTileVectors = 2;

  static Vector load(const float* from) {
    Vector value;
    __builtin_memcpy(&value, from, sizeof(value));
    return value;
  }
  static void store(float* to, Vector value) { __builtin_memcpy(to, &value, sizeof(value)); }
  static Vector all(float value) { return value - Vector{}; }
  static float sum_of(Vector value) {
    float lanes[kWidth];
    store(lanes, value);
    for (int half = kWidth / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    return lanes[0];
  }
  // The last, partial vector of a row; what is missing is zero.
  static Vector load_some(const float* from, std::size_t count) {
    float lanes[kWidth] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = from[i];
    return load(lanes);
  }
  static void store_some(float* to, Vector value, std::size_t count) {
    float lanes[kWidth];
    store(lanes, value);
    for (std::size_t i = 0; i < count; ++i) to[i] = lanes[i];
  }

  // e^x to 2 units in the last place, by e^x = 2^n e^r with |r| <= ln(2)/2, and a polynomial for e^r (the coefficients are those of the
  // Taylor series to r^7, whose rest is below 1e-8). Arguments are clamped to where the result is a normal number.
  static Vector exponential(Vector x) {
    const Vector lowest = all(-87.3F);
    const Vector highest = all(88.3F);
    x = x < lowest ? lowest : x;
    x = x > highest ? highest : x;
    const Vector shifter = all(12582912.0F);  // 1.5 * 2^23: adding it rounds to the nearest integer
    const Vector shifted = x * all(1.44269504F) + shifter;
    const Vector n = shifted - shifter;
    Vector r = x - n * all(0.693359375F);
    r = r - n * all(-2.12194440e-4F);
    Vector p = all(1.0F / 5040);
    p = p * r + all(1.0F / 720);
    p = p * r + all(1.0F / 120);
    p = p * r + all(1.0F / 24);
    p = p * r + all(1.0F / 6);
    p = p * r + all(0.5F);
    p = p * r + all(1.0F);
    p = p * r + all(1.0F);
    const Integers power = (__builtin_convertvector(n, Integers) + 127) << 23;
    return p * reinterpret_cast<const Vector&>(power);
  }

  // Calls each(offset, load, store) for all vectors of a row.
  template <class Each>
  static void over(std::size_t count, const Each& each) {
    std::size_t at = 0;
    for (; at + kStep <= count; at += kStep) each(at, load, [](float* to, Vector value) { store(to, value); });
    if (at < count) {
      const std::size_t rest = count - at;
      each(
          at, [rest](const float* from) { return load_some(from, rest); },
          [rest](float* to, Vector value) { store_some(to, value, rest); });
    }
  }

  template <int kVectors>
  static void tile(std::size_t steps, const float* a, std::size_t a_step, const float* b, std::size_t b_step, float alpha, float beta,
                   float* c, std::size_t c_row) {
    Vector sums[kTileRows][kVectors] = {};
    for (std::size_t k = 0; k < steps; ++k) {
      Vector right[kVectors];
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) right[j] = load(b + j * kWidth);
#pragma clang loop unroll(full)
      for (int i = 0; i < kTileRows; ++i) {
        const Vector left = all(a[i]);
#pragma clang loop unroll(full)
        for (int j = 0; j < kVectors; ++j) sums[i][j] += left * right[j];
      }
      a += a_step;
      b += b_step;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < kTileRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        float* to = c + static_cast<std::size_t>(i) * c_row + j * kWidth;
        store(to, beta == 0 ? alpha * sums[i][j] : beta * load(to) + alpha * sums[i][j]);
      }
    }
  }

  // Lane j of `low` is a[j], of `high` a[j + kHalf], where j lies in an even stretch of kHalf lanes; and b's in odd ones. Transposing is
  // kWidth / 2 such exchanges for each power of two (J. O. Eklundh, 1972).
  template <int kHalf, int... kLanes>
  static void exchange(Vector& a, Vector& b, std::integer_sequence<int, kLanes...>) {
    const Vector low = __builtin_shufflevector(a, b, ((kLanes & kHalf) ? kWidth + kLanes - kHalf : kLanes)...);
    const Vector high = __builtin_shufflevector(a, b, ((kLanes & kHalf) ? kWidth + kLanes : kLanes + kHalf)...);
    a = low;
    b = high;
  }
  template <int kHalf = 1>
  static void transpose_square(Vector* rows) {
    if constexpr (kHalf < kWidth) {
#pragma clang loop unroll(full)
      for (int i = 0; i < kWidth; ++i)
        if ((i & kHalf) == 0) exchange<kHalf>(rows[i], rows[i + kHalf], std::make_integer_sequence<int, kWidth>());
      transpose_square<kHalf * 2>(rows);
    }
  }
  // Lane i becomes the sum over the lanes of vector i.
  template <int kHalf = 1>
  static Vector sums_of(Vector* vectors) {
    if constexpr (kHalf < kWidth) {
#pragma clang loop unroll(full)
      for (int i = 0; i < kWidth; i += 2 * kHalf) {
        exchange<kHalf>(vectors[i], vectors[i + kHalf], std::make_integer_sequence<int, kWidth>());
        vectors[i] += vectors[i + kHalf];
      }
      return sums_of<kHalf * 2>(vectors);
    } else {
      return vectors[0];
    }
  }

  static constexpr int kSide = 4;  // of a block of dot products
  static void dot_block(std::size_t rows, std::size_t columns, std::size_t steps, const float* a, std::size_t a_row, const float* b,
                        std::size_t b_row, float alpha, float beta, float* c, std::size_t c_row) {
    // Rows that do not exist are replaced by ones that do, and their results are dropped.
    const float* left[kSide];
    const float* right[kSide];
    for (std::size_t i = 0; i < kSide; ++i) {
      left[i] = a + (i < rows ? i : 0) * a_row;
      right[i] = b + (i < columns ? i : 0) * b_row;
    }
    Vector sums[kSide * kSide] = {};
    over(steps, [&](std::size_t at, const auto& get, const auto&) {
      Vector factors[kSide];
#pragma clang loop unroll(full)
      for (int j = 0; j < kSide; ++j) factors[j] = get(right[j] + at);
#pragma clang loop unroll(full)
      for (int i = 0; i < kSide; ++i) {
        const Vector factor = get(left[i] + at);
#pragma clang loop unroll(full)
        for (int j = 0; j < kSide; ++j) sums[i * kSide + j] += factor * factors[j];
      }
    });
    float results[kSide * kSide];
#pragma clang loop unroll(full)
    for (int i = 0; i < kSide * kSide; i += kWidth) store(results + i, alpha * sums_of(sums + i));
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < columns; ++j) {
        float& to = c[i * c_row + j];
        to = beta == 0 ? results[i * kSide + j] : beta * to + results[i * kSide + j];
      }
    }
  }
  static void dots(std::size_t rows, std::size_t columns, std::size_t steps, const float* a, std::size_t a_row, const float* b,
                   std::size_t b_row, float alpha, float beta, float* c, std::size_t c_row) {
    for (std::size_t i = 0; i < rows; i += kSide) {
      const std::size_t some_rows = rows - i < kSide ? rows - i : kSide;
      for (std::size_t j = 0; j < columns; j += kSide) {
        const std::size_t some_columns = columns - j < kSide ? columns - j : kSide;
        dot_block(some_rows, some_columns, steps, a + i * a_row, a_row, b + j * b_row, b_row, alpha, beta, c + i * c_row + j, c_row);
      }
    }
  }

  static void pack(const float* from, std::size_t from_row, std::size_t count, std::size_t steps, float* to, std::size_t lanes) {
    // From the last lanes to the first: what a group writes beyond its row is the next row's, and comes after it.
    for (std::size_t group = (lanes + kStep - 1) / kStep; group-- > 0;) {
      const std::size_t first = group * kStep;
      const std::size_t rows = count <= first ? 0 : (count - first < kStep ? count - first : kStep);
      const float* source = from + first * from_row;
      float* target = to + first;
      std::size_t k = 0;
      for (; k + kStep <= steps; k += kStep) {
        Vector square[kWidth] = {};
        for (std::size_t i = 0; i < rows; ++i) square[i] = load(source + i * from_row + k);
        transpose_square(square);
#pragma clang loop unroll(full)
        for (int i = 0; i < kWidth; ++i) store(target + (k + static_cast<std::size_t>(i)) * lanes, square[i]);
      }
      for (; k < steps; ++k) {
        float column[kWidth] = {};
        for (std::size_t i = 0; i < rows; ++i) column[i] = source[i * from_row + k];
        store(target + k * lanes, load(column));
      }
    }
  }

  using Unsigned = unsigned __attribute__((vector_size(kWidth * 4)));
  // To the nearest bfloat16, ties to even.
  static Unsigned rounded(Vector value) {
    const Unsigned bits = reinterpret_cast<const Unsigned&>(value);
    return bits + 0x7FFFU + ((bits >> 16) & 1U);
  }
  static Vector pair(Vector even, Vector odd) {
    const Unsigned bits = (rounded(even) >> 16) | (rounded(odd) & 0xFFFF0000U);
    return reinterpret_cast<const Vector&>(bits);
  }
  template <int... kLanes>
  static Vector pairs_of(Vector low, Vector high, std::integer_sequence<int, kLanes...>) {
    return pair(__builtin_shufflevector(low, high, (2 * kLanes)...), __builtin_shufflevector(low, high, (2 * kLanes + 1)...));
  }
  static Vector pairs_at(const float* from, std::size_t count) {
    const Vector low = count >= kStep ? load(from) : load_some(from, count);
    const Vector high = count >= 2 * kStep ? load(from + kStep) : load_some(from + kStep, count > kStep ? count - kStep : 0);
    return pairs_of(low, high, std::make_integer_sequence<int, kWidth>());
  }
  static void pack_pairs(const float* from, std::size_t from_row, std::size_t count, std::size_t steps, float* to, std::size_t lanes) {
    const std::size_t pairs = (steps + 1) / 2;
    for (std::size_t group = (lanes + kStep - 1) / kStep; group-- > 0;) {
      const std::size_t first = group * kStep;
      const std::size_t rows = count <= first ? 0 : (count - first < kStep ? count - first : kStep);
      for (std::size_t k = 0; k < pairs; k += kStep) {
        Vector square[kWidth] = {};
        for (std::size_t i = 0; i < rows; ++i) square[i] = pairs_at(from + (first + i) * from_row + 2 * k, steps - 2 * k);
        transpose_square(square);
        const std::size_t some = pairs - k < kStep ? pairs - k : kStep;
        for (std::size_t i = 0; i < some; ++i) store(to + first + (k + i) * lanes, square[i]);
      }
    }
  }
  static void pair_rows(const float* even, const float* odd, std::size_t count, float* to, std::size_t lanes) {
    std::size_t at = 0;
    for (; at + kStep <= count; at += kStep) store(to + at, pair(load(even + at), odd != nullptr ? load(odd + at) : Vector{}));
    if (at < count) {
      const Vector last = odd != nullptr ? load_some(odd + at, count - at) : Vector{};
      store_some(to + at, pair(load_some(even + at, count - at), last), count - at);
    }
    for (std::size_t i = count; i < lanes; ++i) to[i] = 0;
  }

  static float dot(const float* a, const float* b, std::size_t count) {
    Vector sum = {};
    over(count, [&](std::size_t at, const auto& get, const auto&) { sum += get(a + at) * get(b + at); });
    return sum_of(sum);
  }
  static void add(float* to, const float* from, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) { put(to + at, get(to + at) + get(from + at)); });
  }
  static void add_scaled(float* to, float factor, const float* from, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) { put(to + at, get(to + at) + factor * get(from + at)); });
  }
  static void multiply(float* to, const float* a, const float* b, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) { put(to + at, get(a + at) * get(b + at)); });
  }
  static void scale(float* to, float factor, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) { put(to + at, factor * get(to + at)); });
  }

  static Vector sigmoid(Vector x) { return all(1.0F) / (all(1.0F) + exponential(-x)); }

  static void swiglu(float* act, const float* gate, const float* up, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) {
      const Vector g = get(gate + at);
      put(act + at, g * sigmoid(g) * get(up + at));
    });
  }
  static void swiglu_back(float* d_gate, float* d_up, const float* d_act, const float* gate, const float* up, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) {
      const Vector g = get(gate + at);
      const Vector u = get(up + at);
      const Vector d = get(d_act + at);
      const Vector s = sigmoid(g);
      put(d_gate + at, d * u * s * (all(1.0F) + g * (all(1.0F) - s)));
      put(d_up + at, d * g * s);
    });
  }

  // gelu(x) = x sigmoid(2u) with u = sqrt(2/pi) (x + 0.044715 x^3), as (1 + tanh u) / 2 = sigmoid(2u).
  static constexpr float kGeluSlope = 1.5957691216F;  // 2 sqrt(2/pi)
  static constexpr float kGeluCube = 0.044715F;
  static Vector gelu_gate(Vector x) { return sigmoid(kGeluSlope * x * (all(1.0F) + kGeluCube * x * x)); }
  static void geglu(float* act, const float* gate, const float* up, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) {
      const Vector g = get(gate + at);
      put(act + at, g * gelu_gate(g) * get(up + at));
    });
  }
  static void geglu_back(float* d_gate, float* d_up, const float* d_act, const float* gate, const float* up, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) {
      const Vector g = get(gate + at);
      const Vector u = get(up + at);
      const Vector d = get(d_act + at);
      const Vector s = gelu_gate(g);
      const Vector slope = kGeluSlope * (all(1.0F) + 3 * kGeluCube * g * g);
      put(d_gate + at, d * u * s * (all(1.0F) + g * (all(1.0F) - s) * slope));
      put(d_up + at, d * g * s);
    });
  }

  // By its series near zero, where 2 sigmoid(2x) - 1 would lose digits.
  static Vector hyperbolic_tangent(Vector x) {
    const Vector q = x * x;
    const Vector near = x + x * q * (all(-1.0F / 3) + q * (all(2.0F / 15) + q * (all(-17.0F / 315) + q * all(62.0F / 2835))));
    const Vector far = 2 * sigmoid(2 * x) - all(1.0F);
    return q < all(0.09F) ? near : far;
  }
  static void soft_cap(float* to, const float* from, float factor, float cap, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) {
      put(to + at, cap * hyperbolic_tangent((factor / cap) * get(from + at)));
    });
  }
  static void soft_cap_back(float* d, const float* capped, float factor, float cap, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) {
      const Vector share = get(capped + at) * (1 / cap);
      put(d + at, factor * (all(1.0F) - share * share) * get(d + at));
    });
  }

  static float largest(const float* from, std::size_t count) {
    Vector most = all(from[0]);
    std::size_t at = 0;
    for (; at + kStep <= count; at += kStep) {
      const Vector value = load(from + at);
      most = value > most ? value : most;
    }
    float lanes[kWidth];
    store(lanes, most);
    float out = lanes[0];
    for (int i = 1; i < kWidth; ++i) out = lanes[i] > out ? lanes[i] : out;
    for (; at < count; ++at) out = from[at] > out ? from[at] : out;
    return out;
  }
  static float exponentials(float* to, const float* from, float factor, float offset, std::size_t count) {
    Vector sum = {};
    std::size_t at = 0;
    for (; at + kStep <= count; at += kStep) {
      const Vector value = exponential(factor * load(from + at) - offset);
      store(to + at, value);
      sum += value;
    }
    float out = sum_of(sum);
    if (at < count) {
      float lanes[kWidth];
      store(lanes, exponential(factor * load_some(from + at, count - at) - offset));
      for (std::size_t i = 0; at < count; ++at, ++i) {
        to[at] = lanes[i];
        out += lanes[i];
      }
    }
    return out;
  }
  static void softmax_back(float* d, const float* p, float mean, float factor, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) { put(d + at, factor * get(p + at) * (get(d + at) - mean)); });
  }

  static Vector root(Vector x) {
    float lanes[kWidth];
    store(lanes, x);
    for (int i = 0; i < kWidth; ++i) lanes[i] = __builtin_sqrtf(lanes[i]);
    return load(lanes);
  }
  static void adamw(const Kernels::AdamW& by, float* p, const float* g, float* m, float* v, std::size_t count) {
    over(count, [&](std::size_t at, const auto& get, const auto& put) {
      const Vector slope = by.factor * get(g + at);
      const Vector first = by.beta1 * get(m + at) + (1 - by.beta1) * slope;
      const Vector second = by.beta2 * get(v + at) + (1 - by.beta2) * slope * slope;
      put(m + at, first);
      put(v + at, second);
      put(p + at, by.decay * get(p + at) - by.step * first / (root(second) * by.root_correction + by.epsilon));
    });
  }

  static void from_f16(float* to, const std::uint16_t* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      _Float16 half;
      __builtin_memcpy(&half, from + i, sizeof(half));
      to[i] = static_cast<float>(half);
    }
  }
  static void from_bf16(float* to, const std::uint16_t* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t bits = static_cast<std::uint32_t>(from[i]) << 16;
      __builtin_memcpy(to + i, &bits, sizeof(bits));
    }
  }

  static constexpr Kernels table(const char* name) {
    return {.name = name,
            .width = kStep,
            .tile_rows = kTileRows,
            .tile_columns = kTileVectors * kStep,
            .tile = tile<kTileVectors>,
            .narrow_tile = tile<1>,
            .dots = dots,
            .pack = pack,
            .pack_pairs = pack_pairs,
            .pair_rows = pair_rows,
            .dot = dot,
            .add = add,
            .add_scaled = add_scaled,
            .multiply = multiply,
            .scale = scale,
            .swiglu = swiglu,
            .swiglu_back = swiglu_back,
            .geglu = geglu,
            .geglu_back = geglu_back,
            .soft_cap = soft_cap,
            .soft_cap_back = soft_cap_back,
            .largest = largest,
            .exponentials = exponentials,
            .softmax_back = softmax_back,
            .adamw = adamw,
            .from_f16 = from_f16,
            .from_bf16 = from_bf16};
  }
};

}  // namespace puna::tune
