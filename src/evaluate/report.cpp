#include "evaluate/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "base/units.h"
#include "wire/tune_scores.h"

namespace puna::evaluate {
namespace {

constexpr std::size_t kLongestCell = 600;  // bytes

// Text inside a table's cell.
std::string escaped(std::string_view text) {
  constexpr std::string_view kMarkup = "\\`*_[]|~$";
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "<br>";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (kMarkup.contains(c))
      (out += '\\') += c;
    else
      out += c;
  }
  return out;
}

std::string cell(std::string_view text) {
  text = trim(text);
  if (text.empty()) return "*nothing*";
  const auto shown = text.substr(0, utf8_complete_prefix(text.substr(0, kLongestCell)));
  return escaped(printable(shown)) + (shown.size() < text.size() ? " …" : "");
}

std::string score_rows(const wire::TuneReport& report) {
  std::string out;
  for (const auto& score : wire::kTuneScores) {
    const auto& before = report.before.*score.value;
    const auto& after = report.after.*score.value;
    if (!before && !after) continue;
    std::string change = "–";
    if (before && after) {
      const double by = (*after - *before) * score.scale;
      const bool better = score.lower_is_better ? by < 0 : by > 0;
      change = fmt::format("{:+.{}f}{}", by, score.decimals, by == 0 ? "" : better ? ", better" : ", worse");
    }
    out += fmt::format("| {} | {} | {} | {} |\n", score.name, wire::score_text(report.before, score, "–"),
                       wire::score_text(report.after, score, "–"), change);
  }
  return out;
}

std::string scores_section(const wire::TuneReport& report) {
  const std::string rows = score_rows(report);
  if (rows.empty()) return {};
  // Losses that compare answers have no perplexity.
  std::string out =
      fmt::format("## Before and after\n\n{} {} {} that {} not trained.",
                  report.before.perplexity ? "Loss and perplexity are means over the trained tokens of" : "The loss is the mean over",
                  report.rows, report.rows == 1 ? "row" : "rows", report.rows == 1 ? "was" : "were");
  if (report.generated > 0)
    out += fmt::format(" Texts are scored over {} greedy {}, against the rows' own.", report.generated,
                       report.generated == 1 ? "answer" : "answers");
  return out + "\n\n| score | base | tuned | change |\n|---|--:|--:|--:|\n" + rows + "\n";
}

std::string outputs_section(const wire::TuneReport& report) {
  if (report.outputs.empty()) return {};
  std::string out = "## Answers\n\n| asked | wanted | base | tuned |\n|---|---|---|---|\n";
  for (const auto& output : report.outputs) {
    const std::string wanted = output.references.empty() ? "–" : cell(output.references.front());
    out += fmt::format("| {} | {} | {} | {} |\n", cell(output.prompt), wanted, cell(output.before), cell(output.after));
  }
  return out + "\n";
}

std::string setting_text(const json::value& value) {
  return value.is_string() ? std::string(std::string_view(value.get_string())) : json::to_text(value);
}

std::string settings_section(const wire::TuneSettings& settings) {
  std::string out = "## Settings\n\n| setting | value |\n|---|---|\n";
  for (const auto& member : json::encode(settings).get_object())
    out += fmt::format("| `{}` | {} |\n", std::string_view(member.key()), cell(setting_text(member.value())));
  return out + "\n";
}

std::string result_section(const RunStory& story) {
  const auto& result = story.result;
  std::string data;
  for (const auto& file : story.request.data) data += (data.empty() ? "" : ", ") + cell(file);
  std::string out = "| | |\n|---|---|\n";
  const auto row = [&](std::string_view name, std::string_view text) { out += fmt::format("| {} | {} |\n", name, text); };
  row("base", cell(result.model));
  row("data", data);
  row("adapter", cell(result.adapter));
  row("use it", fmt::format("`puna run {}`", result.serves));
  row("steps", fmt::format("{} ({:.3g} epochs), ended by: {}", result.steps, result.epochs, cell(result.ended)));
  if (result.loss) row("training loss at the end", fmt::format("{:.4f}", *result.loss));
  if (result.best_eval_loss && result.best_step)
    row("lowest evaluation loss", fmt::format("{:.4f}, at step {}", *result.best_eval_loss, *result.best_step));
  row("time", format_duration(Milliseconds(static_cast<std::int64_t>(result.seconds * 1000))));
  if (result.peak_memory > 0) row("peak memory", format_bytes(Bytes(static_cast<std::uint64_t>(result.peak_memory))));
  return out + "\n";
}

// Where it was computed, when a device took part.
std::string work_section(std::span<const wire::TuneEvent> metrics) {
  const auto found = std::ranges::find_if(metrics, [](const wire::TuneEvent& event) { return event.estimate && event.estimate->device; });
  if (found == metrics.end()) return {};
  const auto& device = *found->estimate->device;
  std::string out = fmt::format("## Computed on {}\n\n{}, of whose memory the run took {}.\n\n", escaped(device.name),
                                escaped(device.description), format_bytes(Bytes(static_cast<std::uint64_t>(device.memory))));
  out += "| where | what | of | why |\n|---|---|---|---|\n";
  for (const auto& work : device.work)
    out +=
        fmt::format("| {} | {} | {} | {} |\n", escaped(work.place), escaped(work.operation), escaped(work.tensors), escaped(work.reason));
  return out + "\n";
}

// What the run warned of, each thing once.
std::string notes_section(std::span<const wire::TuneEvent> metrics) {
  std::vector<std::string> notes;
  for (const auto& event : metrics)
    if (event.kind == wire::TuneEventKind::note && event.note && std::ranges::find(notes, *event.note) == notes.end())
      notes.push_back(*event.note);
  if (notes.empty()) return {};
  std::string out = "## Notes\n\n";
  for (const auto& note : notes) out += fmt::format("- {}\n", cell(note));
  return out + "\n";
}

}  // namespace

std::string report_page(const RunStory& story) {
  std::string out = fmt::format("# {}\n\n", escaped(story.result.run)) + result_section(story);
  if (!story.plot.empty()) out += fmt::format("![Loss over the steps of training]({})\n\n", story.plot);
  if (story.result.report) out += scores_section(*story.result.report) + outputs_section(*story.result.report);
  return out + work_section(story.metrics) + notes_section(story.metrics) + settings_section(story.settings);
}

}  // namespace puna::evaluate
