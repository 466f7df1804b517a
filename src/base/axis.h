// Round numbers along the axis of a plot.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace puna {

struct AxisMark {
  double value = 0;
  std::string text;  // with as many decimals as tell neighbours apart: "0.25", "1200"
};
// Multiples of 1, 2 or 5 times a power of ten from `low` to `high`, at most `most` of them and at least one unless `most` is 0.
// Both ends must be finite.
[[nodiscard]] std::vector<AxisMark> axis_marks(double low, double high, std::size_t most);

}  // namespace puna
