#include "cli/tune/sheet.h"

#include <cmath>

#include "base/text.h"
#include "base/units.h"
#include "cli/screen/table.h"
#include "cli/screen/width.h"
#include "cli/text.h"
#include "wire/tune_scores.h"

namespace puna::cli {
namespace {

std::string duration_text(double seconds) {
  return format_duration(Milliseconds(static_cast<std::int64_t>(std::max(0.0, seconds) * 1000)));
}

std::string row_count(std::int64_t count) {
  return fmt::format("{} {}", count, count == 1 ? "row" : "rows");
}

void print_findings(Stream& out, const wire::DatasetReport& report) {
  for (const auto& finding : report.findings) {
    const bool is_error = finding.severity == wire::FindingSeverity::error;
    out.line(fmt::format("{} {}{}", out.paint(is_error ? Tone::bad : Tone::warning, is_error ? "error:" : "warning:"),
                         printable(finding.message), finding.count > 1 ? fmt::format(" ({} times)", finding.count) : std::string()));
    for (const auto& place : finding.examples)
      out.line(fmt::format("  {}:{}{}  {}", printable(place.file), place.line, place.field ? " " + printable(*place.field) : "",
                           printable(place.message)));
    const auto more = finding.count - static_cast<std::int64_t>(finding.examples.size());
    if (more > 0) out.line(fmt::format("  and {} more", more));
  }
}

// What stands between two tokens of another kind, painted as one; line ends show, because they are tokens too.
class Pieces {
 public:
  explicit Pieces(Stream& out) : out_(out), brackets_(out.paint(Tone::good, "x") == "x") {}

  void add(std::string_view text, bool trained) {
    if (trained != trained_) flush();
    trained_ = trained;
    for (const char c : printable(text)) {
      if (c == '\n') run_ += "⏎";
      run_ += c;
    }
  }
  void end() {
    flush();
    out_.write("\n");
  }

 private:
  void flush() {
    if (run_.empty()) return;
    if (brackets_)
      out_.write(trained_ ? fmt::format("[[{}]]", run_) : run_);
    else
      out_.write(out_.paint(trained_ ? Tone::good : Tone::dim, run_));
    run_.clear();
  }

  Stream& out_;
  bool brackets_;
  bool trained_ = false;
  std::string run_;
};

// What the GPU does, what it does not, and why.
void print_work(Stream& out, const wire::TuneDevice& device) {
  out.line(printable(fmt::format("{} ({}): {} of {} that are free", device.name, device.description, size_text(device.memory),
                                 size_text(device.memory_free))));
  for (const auto& work : device.work)
    out.line(printable(fmt::format("  {} {}{}{}", pad_right(work.place, 8), work.operation, work.tensors.empty() ? "" : ": " + work.tensors,
                                   work.reason.empty() ? "" : " (" + work.reason + ")")));
}

}  // namespace

std::string loss_text(double loss) {
  return std::abs(loss) >= 0.01 || loss == 0 ? fmt::format("{:.3f}", loss) : fmt::format("{:.1e}", loss);
}

std::string progress_of(const wire::TuneRun& run) {
  if (run.failure) return run.failure->message;
  if (run.result) {
    std::string out = fmt::format("{} steps", run.result->steps);
    if (run.result->loss) out += ", loss " + loss_text(*run.result->loss);
    if (run.result->best_eval_loss) out += ", evaluation " + loss_text(*run.result->best_eval_loss);
    return out;
  }
  if (!run.progress || !run.progress->step) return {};
  std::string out = fmt::format("step {}", *run.progress->step);
  if (run.progress->steps) out += fmt::format(" of {}", *run.progress->steps);
  if (run.progress->loss) out += ", loss " + loss_text(*run.progress->loss);
  return out;
}

bool can_be_resumed(const wire::TuneRun& run) {
  return run.state == wire::JobState::paused || run.state == wire::JobState::cancelled || run.state == wire::JobState::failed;
}

std::string resumption_of(const wire::TuneRun& run) {
  const auto step = run.resumes_at.value_or(0);
  return step > 0 ? fmt::format("goes on from step {}", step) : "begins again, for no step of it is kept";
}

void print_estimate(Stream& out, const wire::TuneEstimate& estimate) {
  const auto fact = [&](std::string_view name, const std::string& text) {
    out.line(fmt::format("  {} {}", out.paint(Tone::dim, pad_right(name, 12)), text));
  };
  out.line(printable(fmt::format("'{}' on {}, {} kept for evaluation", estimate.model, row_count(estimate.rows), estimate.eval_rows)));
  fact("tokens", fmt::format("{} an epoch, {} of them trained; the longest row has {}", rounded_count(estimate.tokens),
                             rounded_count(estimate.trained_tokens), estimate.longest_row));
  if (estimate.truncated_rows > 0) fact("", fmt::format("{} longer than the context, cut at its end", row_count(estimate.truncated_rows)));
  fact("steps", fmt::format("{}", estimate.steps));
  fact("adapter", fmt::format("{} parameters", rounded_count(estimate.trained_parameters)));
  fact("memory", fmt::format("{} of {} that are free", size_text(estimate.measured.value_or(estimate.memory_total)),
                             size_text(estimate.memory_free)));
  for (const auto& part : estimate.memory) fact("", fmt::format("{} {}", pad_left(size_text(part.bytes), 9), part.name));
  if (estimate.seconds) {
    const std::string step = estimate.step_seconds ? fmt::format(", {} a step", duration_text(*estimate.step_seconds)) : "";
    fact("time", fmt::format("about {}{}", duration_text(static_cast<double>(*estimate.seconds)), step));
  }
  fact("disk", fmt::format("{} of {} that are free", size_text(estimate.disk), size_text(estimate.disk_free)));
  if (estimate.device) print_work(out, *estimate.device);
  for (const auto& note : estimate.notes) out.line(printable("note: " + note));
  out.line(estimate.fits ? out.paint(Tone::good, "it fits") : out.paint(Tone::bad, "it does not fit"));
  for (const auto& advice : estimate.advice) out.line(printable("  " + advice));
}

void print_preview(Stream& out, const wire::TunePreview& preview) {
  const auto& statistics = preview.report.statistics;
  out.line(printable(fmt::format("{} for {} by {}, {} to train on, {} kept for evaluation", row_count(statistics.rows), preview.report.task,
                                 preview.report.method, statistics.train_rows, statistics.eval_rows)));
  print_findings(out, preview.report);
  const bool colours = out.paint(Tone::good, "x") != "x";
  out.line(fmt::format("what is trained: {}, what only stands before it: {}", colours ? out.paint(Tone::good, "so") : "[[so]]",
                       out.paint(Tone::dim, "so")));
  for (const auto& row : preview.rows) {
    std::string title = fmt::format("{}:{}", printable(std::filesystem::path(row.file).filename().string()), row.line);
    if (row.answer) title += ", " + *row.answer;
    title += fmt::format(": {} tokens, {} trained{}", row.tokens, row.trained_tokens, row.truncated ? ", cut" : "");
    out.line("\n" + out.paint(Tone::bold, title));
    Pieces pieces(out);
    for (const auto& piece : row.pieces) pieces.add(piece.text, piece.weight > 0);
    pieces.end();
  }
}

void print_result(Stream& out, const wire::TuneResult& result) {
  std::string sums = fmt::format("{} steps in {}", result.steps, duration_text(result.seconds));
  if (result.loss) sums += ", loss " + loss_text(*result.loss);
  if (result.best_eval_loss) sums += ", evaluation " + loss_text(*result.best_eval_loss);
  if (result.best_step && *result.best_step != result.steps) sums += fmt::format(" at step {}, which is kept", *result.best_step);
  out.line(printable(fmt::format("tuned '{}': {}", result.run, sums)));
  if (result.ended != "all steps") out.line(printable("  ended early: " + result.ended));
  out.line(fmt::format("  chat with it: {}", out.paint(Tone::accent, printable("puna run " + result.serves))));
}

void print_report(Stream& out, const wire::TuneReport& report) {
  Table scores({{"SCORE"}, {.title = "BASE", .align = Align::right}, {.title = "TUNED", .align = Align::right}});
  for (const auto& row : wire::kTuneScores) {
    const auto &before = report.before.*row.value, &after = report.after.*row.value;
    if (before || after)
      scores.add({std::string(row.name), wire::score_text(report.before, row, "-"), wire::score_text(report.after, row, "-")});
  }
  if (!scores.empty()) scores.print(out);
  const auto told = [&](std::string_view who, std::string_view text, Tone tone) {
    std::string line = printable(trim(text));
    std::ranges::replace(line, '\n', ' ');
    out.line(fmt::format("  {} {}", out.paint(Tone::dim, pad_right(who, 7)), out.paint(tone, line.empty() ? "(nothing)" : line)));
  };
  for (const auto& output : report.outputs) {
    out.line("");
    told("asked", output.prompt, Tone::bold);
    if (!output.references.empty()) told("wanted", output.references.front(), Tone::plain);
    told("base", output.before, Tone::plain);
    told("tuned", output.after, Tone::good);
  }
}

}  // namespace puna::cli
