#include "cli/tune/run_screen.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/units.h"
#include "cli/screen/width.h"
#include "cli/text.h"
#include "cli/tune/sheet.h"

namespace puna::cli {
namespace {

using Kind = wire::TuneEventKind;

constexpr std::chrono::milliseconds kLeastPause(100);
constexpr std::size_t kMostPlotRows = 14;
constexpr std::size_t kMostPlotColumns = 100;
constexpr std::size_t kMostPoints = 2'000;  // of a curve; a terminal shows fewer
constexpr std::size_t kOtherLines = 3;      // progress, figures, where the cursor waits

// Neighbours become one, so that a long run costs no more than a short one.
void halve(std::vector<PlotPoint>& points) {
  for (std::size_t i = 0; i + 1 < points.size(); i += 2) points[i / 2] = {points[i].x, (points[i].y + points[i + 1].y) / 2};
  points.resize(points.size() / 2);
}

void add_point(PlotCurve& curve, const wire::TuneEvent& event, const std::optional<double>& value) {
  if (!value || !event.step || !std::isfinite(*value)) return;
  // A run that went on from a checkpoint repeats some steps.
  while (!curve.points.empty() && curve.points.back().x >= static_cast<double>(*event.step)) curve.points.pop_back();
  curve.points.push_back({static_cast<double>(*event.step), *value});
  if (curve.points.size() > kMostPoints) halve(curve.points);
}

// Columns of a line that is painted.
std::size_t visible_width(std::string_view line) {
  std::string plain;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\033')
      at = std::min(line.find('m', at), line.size() - 1);
    else
      plain += line[at];
  }
  return display_width(plain);
}

std::string estimate_text(const wire::TuneEstimate& estimate) {
  std::string out = fmt::format("{} steps on {} rows, {} of memory", estimate.steps, estimate.rows,
                                size_text(estimate.measured.value_or(estimate.memory_total)));
  if (estimate.seconds) out += ", about " + format_duration(std::chrono::seconds(*estimate.seconds));
  return out;
}

std::string one_line(std::string_view text) {
  std::string out = printable(trim(text));
  std::ranges::replace(out, '\n', ' ');
  return out;
}

// What matters most comes first: a narrow terminal cuts the end.
std::string step_text(const wire::TuneEvent& event, const std::optional<double>& evaluation) {
  std::string out = fmt::format("step {}", event.step.value_or(0));
  if (event.steps) out += fmt::format(" of {}", *event.steps);
  if (event.skipped.value_or(false)) return out + "  skipped: the loss was no number";
  if (event.loss) out += "  loss " + loss_text(event.smoothed_loss.value_or(*event.loss));
  if (evaluation) out += "  evaluation " + loss_text(*evaluation);
  if (event.eta_seconds.value_or(0) > 0) out += fmt::format("  {} left", format_duration(std::chrono::seconds(*event.eta_seconds)));
  if (event.tokens_per_second) out += fmt::format("  {:.0f} tokens/s", *event.tokens_per_second);
  if (event.learning_rate) out += fmt::format("  rate {:.1e}", *event.learning_rate);
  return out;
}

}  // namespace

void RunScreen::take(const wire::TuneEvent& event) {
  if (narration_ == Narration::quiet) return;
  remember(event);
  say(event);
  if (!stream_.is_terminal()) {
    say_plainly(event);
    return;
  }
  stale_ = true;
  const auto now = std::chrono::steady_clock::now();
  if (!drawn_.empty() && now - last_ < kLeastPause) return;
  last_ = now;
  draw();
}

void RunScreen::remember(const wire::TuneEvent& event) {
  if (event.kind == Kind::step) {
    add_point(loss_, event, event.smoothed_loss ? event.smoothed_loss : event.loss);
    step_ = event;
    phase_ = "training";
    if (event.steps.value_or(0) > 0) share_ = static_cast<double>(event.step.value_or(0)) / static_cast<double>(*event.steps);
  }
  if (event.kind == Kind::evaluation) add_point(evaluation_, event, event.eval_loss);
  if (event.kind == Kind::finished) phase_.clear();
  if (event.kind == Kind::phase && event.phase) {
    const bool is_new = *event.phase != phase_;
    phase_ = *event.phase;
    if (event.total.value_or(0) > 0)
      share_ = static_cast<double>(event.done.value_or(0)) / static_cast<double>(*event.total);
    else if (is_new)
      share_ = 0;
  }
}

void RunScreen::say(const wire::TuneEvent& event) {
  if (event.kind == Kind::estimate && event.estimate) print(estimate_text(*event.estimate));
  if (event.kind == Kind::note && event.note) print(fmt::format("{} {}", stream_.paint(Tone::warning, "note:"), one_line(*event.note)));
  if (event.kind == Kind::sample && event.samples)
    for (const auto& sample : *event.samples)
      print(fmt::format("{} {} {} {}", stream_.paint(Tone::dim, fmt::format("step {}:", event.step.value_or(0))), one_line(sample.prompt),
                        stream_.paint(Tone::dim, "→"), one_line(sample.text)));
}

void RunScreen::say_plainly(const wire::TuneEvent& event) {
  if (event.kind == Kind::phase && event.phase && *event.phase != told_phase_) {
    told_phase_ = *event.phase;
    print(printable(told_phase_));
  }
  if (event.kind == Kind::evaluation && event.eval_loss)
    print(fmt::format("step {}  evaluation {}{}", event.step.value_or(0), loss_text(*event.eval_loss),
                      event.best.value_or(false) ? ", the best so far" : ""));
  if (event.kind != Kind::step) return;
  const std::int64_t steps = std::max<std::int64_t>(event.steps.value_or(20), 1);
  const std::int64_t twentieth = event.step.value_or(0) * 20 / steps;
  if (twentieth == told_twentieth_ && event.step != event.steps) return;
  told_twentieth_ = twentieth;
  print(step_text(event, std::nullopt));
}

void RunScreen::print(const std::string& line) {
  erase();
  stream_.line(line);
}

std::string RunScreen::figures() const {
  if (!step_) return {};
  std::string out = step_text(*step_, evaluation_.points.empty() ? std::nullopt : std::optional(evaluation_.points.back().y));
  if (step_->memory) out += "  " + size_text(*step_->memory);
  return out;
}

std::vector<std::string> RunScreen::picture() const {
  constexpr std::size_t kForCtrlC = 3;  // the terminal's "^C" shall not break the line
  const std::size_t width = std::max(stream_.width(), kForCtrlC) - kForCtrlC;
  const std::size_t height = stream_.height();
  std::vector<std::string> out;
  if (loss_.points.size() > 1 && height > kOtherLines) {
    const std::vector<PlotCurve> curves = {loss_, evaluation_};
    out = plot_lines(curves, {std::min(width, kMostPlotColumns), std::min(height - kOtherLines, kMostPlotRows)}, stream_);
  }
  if (!phase_.empty()) out.push_back(fraction_line(phase_, share_, width));
  if (const auto line = figures(); !line.empty()) out.push_back(shorten(line, width));
  return out;
}

void RunScreen::draw() {
  const auto lines = picture();
  // One write, so that no half of it is seen.
  std::string out = back_to_its_beginning();
  drawn_.clear();
  for (const auto& line : lines) {
    out += line + "\033[K\n";
    drawn_.push_back(visible_width(line));
  }
  stream_.write(out + "\033[J");
  stale_ = false;
}

// A terminal that was made narrower has broken lines into several.
std::string RunScreen::back_to_its_beginning() const {
  const std::size_t width = std::max<std::size_t>(stream_.width(), 1);
  std::size_t lines = 0;
  bool broken = false;
  for (const std::size_t columns : drawn_) {
    const std::size_t taken = columns == 0 ? 1 : (columns + width - 1) / width;
    broken = broken || taken > 1;
    lines += taken;
  }
  return lines == 0 ? std::string() : fmt::format("\033[{}A\r{}", lines, broken ? "\033[J" : "");
}

void RunScreen::erase() {
  if (!drawn_.empty()) stream_.write(back_to_its_beginning() + "\033[J");
  drawn_.clear();
}

void RunScreen::close() {
  if (stale_) draw();
  drawn_.clear();
}

}  // namespace puna::cli
