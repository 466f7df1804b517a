#include "trainer/story.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "evaluate/loss_plot.h"
#include "evaluate/report.h"
#include "os/file.h"

namespace puna::trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPlot = "loss.svg";

std::vector<wire::TuneEvent> metrics_of(const fs::path& folder) {
  std::vector<wire::TuneEvent> out;
  std::ifstream lines(folder / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);)
    if (auto event = json::decode_text<wire::TuneEvent>(line, json::Unknown::ignore)) out.push_back(std::move(*event));
  return out;
}

void set_loss(wire::TuneScores& scores, double loss, tune::Loss kind) {
  scores.loss = loss;
  if (kind == tune::Loss::cross_entropy) scores.perplexity = std::exp(loss);
}

wire::TuneResult result_of(const fs::path& folder, const Story& story) {
  const auto& order = story.materials.order();
  const auto& guard = story.cursor.guard;
  wire::TuneResult out{.run = order.name,
                       .model = order.request.model,
                       .adapter = order.name,
                       .serves = fmt::format("{}+{}", order.request.model, order.name),
                       .folder = folder.string(),
                       .steps = story.cursor.step,
                       .epochs = story.plan.course.epoch(story.cursor.step),
                       .ended = story.ended,
                       .seconds = story.cursor.seconds,
                       .peak_memory = story.cursor.peak_memory};
  if (guard.steps > 0) out.loss = guard.smoothed;
  if (guard.best) {
    out.best_eval_loss = guard.best;
    if (*story.plan.settings.keep_best) out.best_step = guard.best_step;
  }
  return out;
}

}  // namespace

Result<> write_story(const fs::path& folder, Story story) {
  auto result = result_of(folder, story);
  const auto& guard = story.cursor.guard;
  const auto kind = story.plan.options.objective.loss;
  if (story.cursor.base_loss) set_loss(story.report.before, *story.cursor.base_loss, kind);
  if (guard.best) set_loss(story.report.after, *story.plan.settings.keep_best ? *guard.best : guard.last.value_or(*guard.best), kind);
  if (story.report.rows > 0) result.report = story.report;
  const auto metrics = metrics_of(folder);
  PUNA_CHECK(os::write_file_atomic(folder / kPlot, evaluate::loss_plot(metrics)));
  const auto page = evaluate::report_page(
      {.request = story.materials.order().request, .settings = story.plan.settings, .result = result, .metrics = metrics, .plot = kPlot});
  PUNA_CHECK(os::write_file_atomic(folder / "report.md", page));
  // The last one: with it the run has come to its end.
  return os::write_file_atomic(folder / "result.json", json::pretty(json::encode(result)));
}

}  // namespace puna::trainer
