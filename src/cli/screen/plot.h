// Curves in a terminal.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/screen/console.h"

namespace puna::cli {

struct PlotPoint {
  double x = 0;
  double y = 0;
};
struct PlotCurve {
  std::string_view name;
  Tone tone = Tone::plain;
  std::vector<PlotPoint> points;  // by rising x, finite
};
struct PlotSize {
  std::size_t columns = 0;
  std::size_t rows = 0;
};

// Lines of at most `size.columns`, `size.rows` of them with legend and axes; none where there is nothing to draw or no room. Drawn in
// Braille, eight dots a character; where curves cross, the later one has the colour. `paint` colours a text without changing its width.
[[nodiscard]] std::vector<std::string> plot_lines(std::span<const PlotCurve> curves, PlotSize size, const Stream& paint);

}  // namespace puna::cli
