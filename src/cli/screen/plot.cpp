#include "cli/screen/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/axis.h"
#include "cli/screen/width.h"

namespace puna::cli {
namespace {

constexpr std::size_t kDotsAcross = 2, kDotsDown = 4;  // of a Braille character
constexpr std::size_t kLeastColumns = 24, kLeastRows = 6;
constexpr std::size_t kAround = 3;  // legend, axis, its numbers

struct Bounds {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // As a share of the way from low to high.
  [[nodiscard]] double share(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

struct Frame {
  Bounds x, y;
};

std::optional<Frame> frame_around(std::span<const PlotCurve> curves) {
  Frame out;
  bool any = false;
  for (const auto& curve : curves)
    for (const auto& point : curve.points) {
      any = true;
      out.x.take(point.x);
      out.y.take(point.y);
    }
  return any ? std::optional(out) : std::nullopt;
}

class Canvas {
 public:
  Canvas(std::size_t columns, std::size_t rows) : columns_(columns), rows_(rows), cells_(columns * rows) {}

  void draw(const PlotCurve& curve, const Frame& frame) {
    std::optional<Dot> before;
    for (const auto& point : curve.points) {
      const Dot dot = dot_of(point, frame);
      line(before.value_or(dot), dot, curve.tone);
      before = dot;
    }
  }

  [[nodiscard]] std::string row(std::size_t at, const Stream& paint) const {
    std::string out, run;  // a run: neighbours of one colour
    Tone tone = Tone::plain;
    for (std::size_t column = 0; column < columns_; ++column) {
      const Cell& cell = cells_[at * columns_ + column];
      if (cell.dots != 0 && cell.tone != tone) {
        out += run.empty() ? run : paint.paint(tone, run);
        run.clear();
        tone = cell.tone;
      }
      run += cell.dots == 0 ? " " : braille(cell.dots);
    }
    out += paint.paint(tone, run);
    return out;
  }

 private:
  struct Cell {
    unsigned dots = 0;
    Tone tone = Tone::plain;
  };
  struct Dot {
    long x = 0;
    long y = 0;
  };

  [[nodiscard]] Dot dot_of(const PlotPoint& point, const Frame& frame) const {
    const auto across = static_cast<double>(columns_ * kDotsAcross - 1), down = static_cast<double>(rows_ * kDotsDown - 1);
    return {std::lround(frame.x.share(point.x) * across), std::lround((1 - frame.y.share(point.y)) * down)};
  }

  void line(Dot from, Dot to, Tone tone) {
    const long steps = std::max({std::labs(to.x - from.x), std::labs(to.y - from.y), 1L});
    for (long i = 0; i <= steps; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(steps);
      set({from.x + std::lround(share * static_cast<double>(to.x - from.x)),
           from.y + std::lround(share * static_cast<double>(to.y - from.y))},
          tone);
    }
  }

  void set(Dot dot, Tone tone) {
    // The numbers of Braille's dots: 1 2 3 7 down the left side, 4 5 6 8 down the right one.
    static constexpr unsigned kBit[kDotsDown][kDotsAcross] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    const auto x = static_cast<std::size_t>(dot.x), y = static_cast<std::size_t>(dot.y);
    Cell& cell = cells_[y / kDotsDown * columns_ + x / kDotsAcross];
    cell.dots |= kBit[y % kDotsDown][x % kDotsAcross];
    cell.tone = tone;
  }

  static std::string braille(unsigned dots) {  // U+2800 and on
    return {'\xE2', static_cast<char>(0xA0 | dots >> 6), static_cast<char>(0x80 | (dots & 0x3F))};
  }

  std::size_t columns_, rows_;
  std::vector<Cell> cells_;
};

std::string legend(std::span<const PlotCurve> curves, std::size_t indent, const Stream& paint) {
  std::string out(indent, ' ');
  for (const auto& curve : curves)
    if (!curve.points.empty()) out += paint.paint(curve.tone, "━━") + fmt::format(" {}   ", curve.name);
  out.resize(out.find_last_not_of(' ') + 1);
  return out;
}

// The rows of the canvas that have a number beside them.
std::vector<std::string> row_labels(const Bounds& y, std::size_t rows) {
  std::vector<std::string> out(rows);
  for (const auto& mark : axis_marks(y.low, y.high, std::max<std::size_t>(rows / 2, 2))) {
    const double from_top = (1 - y.share(mark.value)) * static_cast<double>(rows * kDotsDown - 1);
    out[static_cast<std::size_t>(std::lround(from_top)) / kDotsDown] = mark.text;
  }
  return out;
}

struct Foot {
  std::string axis;
  std::string numbers;
};

Foot foot(const Bounds& x, std::size_t columns) {
  std::string numbers;
  std::vector<bool> tick(columns);
  for (const auto& mark : axis_marks(x.low, x.high, std::max<std::size_t>(columns / 12, 2))) {
    const auto at = static_cast<std::size_t>(std::lround(x.share(mark.value) * static_cast<double>(columns - 1)));
    tick[at] = true;
    const std::size_t half = mark.text.size() / 2;
    const std::size_t start = std::min(at > half ? at - half : 0, columns - std::min(columns, mark.text.size()));
    if (!numbers.empty() && start <= numbers.size()) continue;  // would touch the one before
    numbers.resize(start, ' ');
    numbers += mark.text;
  }
  std::string axis;
  for (std::size_t i = 0; i < columns; ++i) axis += tick[i] ? "┬" : "─";
  return {axis, numbers};
}

}  // namespace

std::vector<std::string> plot_lines(std::span<const PlotCurve> curves, PlotSize size, const Stream& paint) {
  const auto frame = frame_around(curves);
  if (!frame || size.columns < kLeastColumns || size.rows < kLeastRows) return {};
  const std::size_t rows = size.rows - kAround;
  const auto labels = row_labels(frame->y, rows);
  std::size_t margin = 0;
  for (const auto& label : labels) margin = std::max(margin, label.size());
  if (size.columns < margin + kLeastColumns / 2) return {};
  const std::size_t columns = size.columns - margin - 2;

  Canvas canvas(columns, rows);
  for (const auto& curve : curves) canvas.draw(curve, *frame);
  std::vector<std::string> out = {legend(curves, margin + 2, paint)};
  for (std::size_t row = 0; row < rows; ++row)
    out.push_back(paint.paint(Tone::dim, pad_left(labels[row], margin) + (labels[row].empty() ? " │" : " ┤")) + canvas.row(row, paint));
  const Foot below = foot(frame->x, columns);
  out.push_back(paint.paint(Tone::dim, std::string(margin, ' ') + " └" + below.axis));
  out.push_back(paint.paint(Tone::dim, std::string(margin + 2, ' ') + below.numbers));
  return out;
}

}  // namespace puna::cli
