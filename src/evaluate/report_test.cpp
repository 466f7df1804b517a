#include "evaluate/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "evaluate/loss_plot.h"

namespace puna::evaluate {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = wire::TuneEventKind;

wire::TuneEvent step(std::int64_t at, double loss) {
  return {.kind = Kind::step, .step = at, .loss = loss, .smoothed_loss = loss + 0.1};
}

std::vector<wire::TuneEvent> metrics() {
  std::vector<wire::TuneEvent> out = {step(1, 2), step(2, 1.5), step(3, 1)};
  out.push_back({.kind = Kind::evaluation, .step = 3, .eval_loss = 1.25});
  out.push_back({.kind = Kind::note, .note = "2 rows were longer than the context"});
  return out;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t out = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++out;
  return out;
}

wire::TuneResult result() {
  wire::TuneReport report{.rows = 12, .generated = 1};
  report.before = {.loss = 2.5, .perplexity = 12.182, .exact_match = 0.25};
  report.after = {.loss = 0.5, .perplexity = 1.649, .exact_match = 0.25};
  report.outputs.push_back({"eval.jsonl", 1, "What is 2|3?", {R"({"a": "2 | 3"})"}, "It is\n**bold** <b>", R"({"a": "2 | 3"})"});
  return {.run = "care",
          .model = "smollm2:135m",
          .adapter = "care",
          .serves = "smollm2:135m+care",
          .steps = 3,
          .epochs = 1.5,
          .ended = "all steps",
          .seconds = 75,
          .report = report};
}

std::string page(const wire::TuneResult& what = result()) {
  const wire::TuneRequest request{.model = "smollm2:135m", .data = {"/data/train.jsonl"}};
  const wire::TuneSettings settings{.rank = 16, .learning_rate = 2e-4};
  const auto events = metrics();
  return report_page({request, settings, what, events, "loss.svg"});
}

TEST(Report, says_what_came_of_the_run_and_how_to_use_it) {
  EXPECT_THAT(page(), HasSubstr("# care\n"));
  EXPECT_THAT(page(), HasSubstr("| use it | `puna run smollm2:135m+care` |"));
  EXPECT_THAT(page(), HasSubstr("| steps | 3 (1.5 epochs), ended by: all steps |"));
  EXPECT_THAT(page(), HasSubstr("| time | 1m 15s |"));
  EXPECT_THAT(page(), HasSubstr("![Loss over the steps of training](loss.svg)"));
  EXPECT_THAT(page(), HasSubstr("- 2 rows were longer than the context\n"));
}

TEST(Report, lists_what_a_gpu_computed_and_what_not) {
  const std::vector<wire::TuneWork> work = {{"products with weights", "CUDA0", "attn_q of layers 0 to 3", ""},
                                            {"optimizer", "CPU", "", "milliseconds a step"}};
  wire::TuneEstimate estimate;
  estimate.device = {.name = "CUDA0", .description = "NVIDIA Fake", .memory = 3LL << 30, .work = work};
  const std::vector<wire::TuneEvent> events = {{.kind = Kind::estimate, .estimate = estimate}};
  const auto text = report_page({{}, {}, result(), events, "loss.svg"});
  EXPECT_THAT(text, HasSubstr("NVIDIA Fake, of whose memory the run took 3.00 GiB."));
  EXPECT_THAT(text,
              HasSubstr("| CUDA0 | products with weights | attn\\_q of layers 0 to 3 |  |\n| CPU | optimizer |  | milliseconds a step |"));
  EXPECT_THAT(page(), Not(HasSubstr("Computed on")));
}

TEST(Report, sets_base_and_tuned_side_by_side) {
  EXPECT_THAT(page(), HasSubstr("| loss | 2.5000 | 0.5000 | -2.0000, better |"));
  EXPECT_THAT(page(), HasSubstr("| exact match, % | 25.0 | 25.0 | +0.0 |"));
  EXPECT_THAT(page(), Not(HasSubstr("chrF")));  // was not measured
}

TEST(Report, says_what_the_loss_is_of) {
  EXPECT_THAT(page(), HasSubstr("Loss and perplexity are means over the trained tokens of 12 rows that were not trained."));
  auto compared = result();
  compared.report->before.perplexity = compared.report->after.perplexity = std::nullopt;
  EXPECT_THAT(page(compared), HasSubstr("The loss is the mean over 12 rows that were not trained."));
}

TEST(Report, what_models_said_forms_no_markup) {
  EXPECT_THAT(page(), HasSubstr(R"(| What is 2\|3? | {"a": "2 \| 3"} | It is<br>\*\*bold\*\* &lt;b&gt; | {"a": "2 \| 3"} |)"));
}

TEST(Report, lists_the_settings_that_were_used) {
  EXPECT_THAT(page(), HasSubstr("| `rank` | 16 |\n| `learning_rate` | 0.0002 |\n"));
}

TEST(LossPlot, draws_each_curve_that_has_points) {
  const std::string svg = loss_plot(metrics());
  EXPECT_EQ(count(svg, "<polyline"), 3u);
  EXPECT_EQ(count(svg, "<circle"), 1u);
  EXPECT_THAT(svg, HasSubstr(">evaluation</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(LossPlot, higher_losses_stand_higher) {
  const std::vector<wire::TuneEvent> falling = {step(0, 4), step(10, 0)};
  EXPECT_THAT(loss_plot(falling), HasSubstr("points=\"64.0,57.0 744.0,332.0\""));
}

TEST(LossPlot, leaves_out_what_is_no_number_and_survives_having_nothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(loss_plot({}), HasSubstr("no step was told"));
  const std::vector<wire::TuneEvent> events = {{.kind = Kind::step, .step = 1, .loss = nan}, {.kind = Kind::step, .step = 2, .loss = 1.0}};
  EXPECT_THAT(loss_plot(events), Not(HasSubstr("nan")));
}

TEST(LossPlot, draws_many_steps_as_means_of_neighbours) {
  std::vector<wire::TuneEvent> events;
  for (int i = 0; i < 100'000; ++i) events.push_back({.kind = Kind::step, .step = i, .loss = i % 2 ? 1.0 : 3.0});
  EXPECT_LT(loss_plot(events).size(), 30'000u);
}

}  // namespace
}  // namespace puna::evaluate
