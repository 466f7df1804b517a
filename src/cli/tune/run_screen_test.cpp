#include "cli/tune/run_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli_testing.h"

namespace puna::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = wire::TuneEventKind;

wire::TuneEvent step(std::int64_t at, std::int64_t of, double loss) {
  return {.kind = Kind::step, .step = at, .steps = of, .loss = loss, .learning_rate = 2e-4, .tokens_per_second = 400, .eta_seconds = 5};
}

std::string shown(ScreenTraits traits, const std::vector<wire::TuneEvent>& events, Narration narration = Narration::full) {
  Captured captured;
  auto console = capturing_console(captured, traits);
  RunScreen screen(console.err, narration);
  for (const auto& event : events) screen.take(event);
  screen.close();
  return captured.err;
}

std::vector<wire::TuneEvent> hundred_steps() {
  std::vector<wire::TuneEvent> out;
  for (int i = 1; i <= 100; ++i) out.push_back(step(i, 100, 4.0 / i));
  return out;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

TEST(RunScreen, draws_curves_and_figures_on_a_terminal) {
  const auto text = shown({.terminal = true, .width = 80}, {step(1, 4, 3.5), step(2, 4, 2.5), step(3, 4, 1.25)});
  EXPECT_THAT(text, HasSubstr("━━ loss"));
  EXPECT_THAT(text, HasSubstr("training  75%"));
  EXPECT_THAT(text, HasSubstr("step 3 of 4  loss 1.250  5.0 s left  400 tokens/s  rate 2.0e-04"));
}

TEST(RunScreen, what_it_says_in_words_stays_above_the_picture) {
  const auto text = shown({.terminal = true, .width = 80},
                          {step(1, 4, 3), step(2, 4, 2), {.kind = Kind::note, .note = "two rows were cut"}, step(3, 4, 1)});
  const auto note = text.find("two rows were cut\n");
  ASSERT_NE(note, std::string::npos);
  EXPECT_LT(note, text.rfind("training  75%"));
}

TEST(RunScreen, elsewhere_it_prints_about_twenty_steps_and_every_evaluation) {
  auto events = hundred_steps();
  events.push_back({.kind = Kind::evaluation, .step = 100, .eval_loss = 0.5, .best = true});
  const auto text = shown({}, events);
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(text, HasSubstr("step 100 of 100  loss 0.040"));
  EXPECT_THAT(text, HasSubstr("step 100  evaluation 0.500, the best so far\n"));
  EXPECT_GE(lines_of(text), 20u);
  EXPECT_LE(lines_of(text), 23u);
}

TEST(RunScreen, foreign_text_moves_no_cursor) {
  const std::vector<wire::TuneSample> samples = {{"say\033[2J", "a\nb"}};
  const auto text = shown({}, {{.kind = Kind::sample, .step = 3, .samples = samples}});
  EXPECT_EQ(text, "step 3: say\uFFFD[2J → a b\n");
}

TEST(RunScreen, quiet_says_nothing) {
  EXPECT_EQ(shown({.terminal = true}, hundred_steps(), Narration::quiet), "");
}

TEST(RunScreen, steps_that_a_resumed_run_repeats_are_drawn_once) {
  const auto text = shown({.terminal = true, .width = 60}, {step(1, 3, 9), step(2, 3, 9), step(1, 3, 2), step(2, 3, 1)});
  EXPECT_THAT(text.substr(text.rfind("━━")), Not(HasSubstr("9")));
}

}  // namespace
}  // namespace puna::cli
