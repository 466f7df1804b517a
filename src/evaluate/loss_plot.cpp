#include "evaluate/loss_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/axis.h"

namespace puna::evaluate {
namespace {

constexpr double kWidth = 760, kHeight = 380;
constexpr double kLeft = 64, kRight = 16, kTop = 36, kBottom = 48;
constexpr std::size_t kMostPoints = 700;  // of a curve: about one a pixel

struct Point {
  double step = 0;
  double loss = 0;
};

struct Curve {
  std::string_view name;
  std::string_view colour;
  std::string_view style;  // further attributes of its line
  bool dots = false;
  std::vector<Point> points;
};

std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() <= kMostPoints) return points;
  std::vector<Point> out;
  for (std::size_t i = 0; i < kMostPoints; ++i) {
    const std::size_t from = i * points.size() / kMostPoints, to = (i + 1) * points.size() / kMostPoints;
    Point mean;
    for (std::size_t k = from; k < to; ++k) {
      mean.step += points[k].step;
      mean.loss += points[k].loss;
    }
    const auto count = static_cast<double>(to - from);
    out.push_back({mean.step / count, mean.loss / count});
  }
  return out;
}

std::vector<Curve> curves_of(std::span<const wire::TuneEvent> metrics) {
  Curve steps{"loss", "#93b4e8", "stroke-width=\"1\"", false, {}}, smoothed{"smoothed", "#1f5fbf", "stroke-width=\"2\"", false, {}},
      held_out{"evaluation", "#c2570c", "stroke-width=\"2\"", true, {}};
  const auto take = [](Curve& curve, const wire::TuneEvent& event, const std::optional<double>& value) {
    if (value && std::isfinite(*value)) curve.points.push_back({static_cast<double>(event.step.value_or(0)), *value});
  };
  for (const auto& event : metrics) {
    if (event.kind == wire::TuneEventKind::step) {
      take(steps, event, event.loss);
      take(smoothed, event, event.smoothed_loss);
    }
    if (event.kind == wire::TuneEventKind::evaluation) take(held_out, event, event.eval_loss);
  }
  steps.points = thinned(steps.points);
  smoothed.points = thinned(smoothed.points);
  return {std::move(steps), std::move(smoothed), std::move(held_out)};
}

struct Frame {
  double low_step = std::numeric_limits<double>::infinity();
  double high_step = -low_step;
  double low_loss = low_step;
  double high_loss = -low_step;

  [[nodiscard]] double x(double step) const { return kLeft + (step - low_step) / (high_step - low_step) * (kWidth - kLeft - kRight); }
  [[nodiscard]] double y(double loss) const {
    return kHeight - kBottom - (loss - low_loss) / (high_loss - low_loss) * (kHeight - kTop - kBottom);
  }
};

Frame frame_around(const std::vector<Curve>& curves) {
  Frame out;
  for (const auto& curve : curves)
    for (const auto& point : curve.points) {
      out.low_step = std::min(out.low_step, point.step);
      out.high_step = std::max(out.high_step, point.step);
      out.low_loss = std::min(out.low_loss, point.loss);
      out.high_loss = std::max(out.high_loss, point.loss);
    }
  if (out.high_step == out.low_step) out.high_step += 1;
  const double margin = out.high_loss > out.low_loss ? 0.05 * (out.high_loss - out.low_loss) : 0.5;
  out.low_loss = out.low_loss >= 0 ? std::max(0.0, out.low_loss - margin) : out.low_loss - margin;
  out.high_loss += margin;
  return out;
}

std::string label(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, text);
}

std::string axes(const Frame& frame) {
  std::string out = "<g stroke=\"#d9d9d9\" stroke-width=\"1\">\n";
  std::string labels;
  for (const auto& mark : axis_marks(frame.low_loss, frame.high_loss, 7)) {
    const double y = frame.y(mark.value);
    out += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n", kLeft, y, kWidth - kRight);
    labels += label(kLeft - 8, y + 4, "end", mark.text);
  }
  for (const auto& mark : axis_marks(frame.low_step, frame.high_step, 9)) {
    if (mark.value != std::floor(mark.value)) continue;  // there is no half a step
    const double x = frame.x(mark.value);
    out += fmt::format("<path d=\"M{:.1f} {:.1f}V{:.1f}\"/>\n", x, kTop, kHeight - kBottom);
    labels += label(x, kHeight - kBottom + 18, "middle", fmt::format("{:.0f}", mark.value));
  }
  return out + "</g>\n" + labels + label((kLeft + kWidth - kRight) / 2, kHeight - 10, "middle", "step");
}

std::string drawn(const Curve& curve, const Frame& frame) {
  std::string points, dots;
  for (const auto& point : curve.points) {
    const double x = frame.x(point.step), y = frame.y(point.loss);
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", x, y);
    if (curve.dots) dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x, y, curve.colour);
  }
  return fmt::format("<polyline fill=\"none\" stroke=\"{}\" {} points=\"{}\"/>\n{}", curve.colour, curve.style, points, dots);
}

std::string legend(const std::vector<Curve>& curves) {
  std::string out;
  double x = kLeft;
  for (const auto& curve : curves) {
    if (curve.points.empty()) continue;
    out += fmt::format("<path d=\"M{:.1f} 18h20\" stroke=\"{}\" {}/>\n", x, curve.colour, curve.style);
    out += label(x + 26, 22, "start", curve.name);
    x += 42 + 8.0 * static_cast<double>(curve.name.size());
  }
  return out;
}

}  // namespace

std::string loss_plot(std::span<const wire::TuneEvent> metrics) {
  const auto curves = curves_of(metrics);
  const bool empty = std::ranges::all_of(curves, [](const Curve& curve) { return curve.points.empty(); });
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "font-family=\"sans-serif\" font-size=\"12\" fill=\"#404040\">\n<title>Loss over the steps of training</title>\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
      kWidth, kHeight);
  if (empty) return out + label(kWidth / 2, kHeight / 2, "middle", "no step was told") + "</svg>\n";
  const Frame frame = frame_around(curves);
  out += axes(frame);
  for (const auto& curve : curves)
    if (!curve.points.empty()) out += drawn(curve, frame);
  return out + legend(curves) + "</svg>\n";
}

}  // namespace puna::evaluate
