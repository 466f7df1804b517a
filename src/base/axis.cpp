#include "base/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace puna {
namespace {

struct Grid {
  double step = 1;
  int decimals = 0;
  double first = 0;  // in steps
  double last = 0;
  [[nodiscard]] double marks() const { return last - first + 1; }
};

Grid grid_of(double low, double high, double digit, int power) {
  const double step = digit * std::pow(10.0, power);
  constexpr double kSlack = 1e-9;  // an end that misses its multiple by rounding still has its mark
  return {step, std::max(0, -power), std::ceil(low / step - kSlack), std::floor(high / step + kSlack)};
}

}  // namespace

std::vector<AxisMark> axis_marks(double low, double high, std::size_t most) {
  if (most == 0) return {};
  if (!(high > low)) return {{low, fmt::format("{:.4g}", low)}};
  int power = static_cast<int>(std::floor(std::log10((high - low) / static_cast<double>(most)))) - 1;
  for (;; ++power) {
    for (const double digit : std::array{1.0, 2.0, 5.0}) {
      const Grid grid = grid_of(low, high, digit, power);
      if (grid.marks() > static_cast<double>(most)) continue;
      if (grid.marks() < 1) return {{low, fmt::format("{:.4g}", low)}};
      std::vector<AxisMark> out;
      for (double i = grid.first; i <= grid.last; ++i) {
        const double value = i == 0 ? 0 : i * grid.step;  // never -0
        out.push_back({value, fmt::format("{:.{}f}", value, grid.decimals)});
      }
      return out;
    }
  }
}

}  // namespace puna
