#include "cli/screen/progress.h"

#include <array>
#include <cmath>

#include "base/text.h"
#include "base/units.h"
#include "cli/screen/width.h"

namespace puna::cli {
namespace {

constexpr std::chrono::milliseconds kLeastPause(100);

std::string amount(std::int64_t count, std::string_view unit) {
  if (unit == "bytes") return format_bytes(Bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0))));
  return fmt::format("{}", count);
}

// Eighths of a column, so that the bar moves smoothly.
std::string bar(double fraction, std::size_t columns) {
  constexpr std::array<std::string_view, 8> kPart = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(columns) * 8));
  std::string filled;
  for (std::size_t i = 0; i < eighths / 8; ++i) filled += "█";
  filled += kPart[eighths % 8];
  return "▕" + pad_right(filled, columns) + "▏";
}

// `head` and `tail` with a bar between them where there is room for one worth looking at; else as much of them as fits.
std::string with_bar(const std::string& head, double fraction, const std::string& tail, std::size_t width) {
  constexpr std::size_t kEnds = 2, kLeastBar = 8, kMostBar = 40;
  const std::size_t around = display_width(head) + 1 + kEnds + (tail.empty() ? 0 : 1 + display_width(tail));
  if (around + kLeastBar <= width) {
    const std::string drawn = bar(fraction, std::min(kMostBar, width - around));
    return tail.empty() ? fmt::format("{} {}", head, drawn) : fmt::format("{} {} {}", head, drawn, tail);
  }
  return shorten(tail.empty() ? head : fmt::format("{}  {}", head, tail), width);
}

std::string percent(double fraction) {
  return fmt::format("{:3.0f}%", std::floor(std::clamp(fraction, 0.0, 1.0) * 100));
}

std::string speed(const wire::JobProgress& progress) {
  if (!progress.per_second || *progress.per_second < 1) return {};
  std::string out = fmt::format("  {}/s", amount(static_cast<std::int64_t>(*progress.per_second), progress.unit));
  if (progress.eta_seconds) out += "  " + format_duration(std::chrono::seconds(*progress.eta_seconds));
  return out;
}

// "file 2 of 5" of a job that moves several, and what holds it up.
std::string remarks(const wire::JobProgress& progress) {
  std::string out;
  if (progress.files_total.value_or(0) > 1) out += fmt::format("  {} of {} files", progress.files_done.value_or(0), *progress.files_total);
  if (progress.note && !progress.note->empty()) out += fmt::format("  ({})", printable(*progress.note));
  return out;
}

struct Parts {
  std::string head;
  std::optional<double> fraction;
  std::string tail;
};

Parts parts_of(const wire::JobProgress& progress) {
  const std::string phase = printable(progress.phase.empty() ? std::string_view("waiting") : progress.phase);
  if (!progress.total || *progress.total <= 0) {
    if (progress.done <= 0) return {phase + remarks(progress), std::nullopt, ""};
    return {phase, std::nullopt, amount(progress.done, progress.unit) + speed(progress) + remarks(progress)};
  }
  const double fraction = static_cast<double>(progress.done) / static_cast<double>(*progress.total);
  const std::string sizes = fmt::format("{}/{}", amount(progress.done, progress.unit), amount(*progress.total, progress.unit));
  return {fmt::format("{} {}", phase, percent(fraction)), fraction, sizes + speed(progress) + remarks(progress)};
}

}  // namespace

std::string progress_text(const wire::JobProgress& progress) {
  const Parts parts = parts_of(progress);
  return parts.tail.empty() ? parts.head : fmt::format("{}  {}", parts.head, parts.tail);
}

std::string progress_line(const wire::JobProgress& progress, std::size_t width) {
  const Parts parts = parts_of(progress);
  return parts.fraction ? with_bar(parts.head, *parts.fraction, parts.tail, width) : shorten(progress_text(progress), width);
}

std::string fraction_line(std::string_view what, double fraction, std::size_t width) {
  return with_bar(fmt::format("{} {}", printable(what), percent(fraction)), fraction, {}, width);
}

std::size_t ProgressLine::room() const {
  constexpr std::size_t kForCtrlC = 3;  // the terminal's "^C" shall not break the line
  return std::max(stream_.width(), kForCtrlC) - kForCtrlC;
}

void ProgressLine::show(const wire::JobProgress& progress) {
  draw(progress.phase, progress_line(progress, room()));
}

void ProgressLine::show(std::string_view what, double fraction) {
  draw(what, fraction_line(what, fraction, room()));
}

void ProgressLine::draw(std::string_view phase, const std::string& line) {
  if (narration_ == Narration::quiet) return;
  const bool same_phase = phase == phase_;
  phase_ = phase;
  if (!stream_.is_terminal()) {
    if (!same_phase && !phase.empty()) stream_.line(printable(phase));
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (same_phase && drawn_ && now - last_ < kLeastPause) return;
  last_ = now;
  stream_.write(back_to_its_beginning() + line + "\033[K");
  drawn_ = true;
  columns_ = display_width(line);
}

// A terminal that was made narrower has broken the line into several.
std::string ProgressLine::back_to_its_beginning() const {
  const std::size_t width = std::max<std::size_t>(stream_.width(), 1);
  const std::size_t breaks = drawn_ && columns_ > 0 ? (columns_ - 1) / width : 0;
  return breaks == 0 ? "\r" : fmt::format("\r\033[{}A\033[J", breaks);
}

void ProgressLine::clear() {
  if (drawn_) stream_.write(back_to_its_beginning() + "\033[K");
  drawn_ = false;
}

}  // namespace puna::cli
