#include "cli/screen/progress.h"

#include <gtest/gtest.h>

#include "cli/cli_testing.h"
#include "cli/screen/width.h"

namespace puna::cli {
namespace {

wire::JobProgress downloading() {
  return {.done = 44'354'765, .total = 98'355'200, .unit = "bytes", .phase = "downloading", .per_second = 12'687'769, .eta_seconds = 4};
}

TEST(ProgressLine, shows_a_bar_where_there_is_room) {
  EXPECT_EQ(progress_line(downloading(), 80), "downloading  45% ▕██████████▉             ▏ 42.3 MiB/93.8 MiB  12.1 MiB/s  4.0 s");
  EXPECT_EQ(display_width(progress_line(downloading(), 80)), 80u);
}

TEST(ProgressLine, leaves_the_bar_out_where_there_is_none) {
  EXPECT_EQ(progress_line(downloading(), 40), "downloading  45%  42.3 MiB/93.8 MiB  12…");
}

TEST(ProgressLine, without_a_total_it_says_what_came) {
  EXPECT_EQ(progress_line({.done = 2'048, .unit = "bytes", .phase = "downloading"}, 80), "downloading  2.00 KiB");
  EXPECT_EQ(progress_line({.unit = "bytes", .phase = ""}, 80), "waiting");
}

TEST(ProgressLine, a_fraction_beyond_its_bounds_stays_inside_the_bar) {
  EXPECT_EQ(fraction_line("loading m", 1.7, 30), "loading m 100% ▕█████████████▏");
  EXPECT_EQ(fraction_line("loading m", -1, 30), "loading m   0% ▕             ▏");
}

TEST(ProgressLine, is_drawn_over_itself_on_a_terminal_and_leaves_nothing) {
  Captured captured;
  auto console = capturing_console(captured, {.terminal = true, .width = 43});
  {
    ProgressLine(console.err, Narration::full).show(downloading());
  }
  EXPECT_EQ(captured.err, "\rdownloading  45%  42.3 MiB/93.8 MiB  12…\033[K\r\033[K");
}

TEST(ProgressLine, says_what_holds_it_up_and_how_many_files_are_done) {
  auto progress = downloading();
  progress.files_done = 1;
  progress.files_total = 3;
  progress.note = "tried again in 8 s";
  EXPECT_EQ(progress_text(progress), "downloading  45%  42.3 MiB/93.8 MiB  12.1 MiB/s  4.0 s  1 of 3 files  (tried again in 8 s)");
}

TEST(ProgressLine, cleans_up_behind_a_terminal_that_became_narrower) {
  Captured captured;
  std::size_t width = 43;
  Stream stream(
      [&](std::string_view text) -> Result<> {
        captured.err += text;
        return {};
      },
      {.terminal = true, .width = [&] { return width; }});
  ProgressLine line(stream, Narration::full);
  line.show(downloading());
  captured.err.clear();
  width = 20;
  line.clear();
  EXPECT_EQ(captured.err, "\r\033[1A\033[J\033[K");
}

TEST(ProgressLine, says_each_phase_once_where_there_is_no_terminal) {
  Captured captured;
  auto console = capturing_console(captured);
  ProgressLine line(console.err, Narration::full);
  for (const auto* phase : {"downloading", "downloading", "verifying"}) line.show({.unit = "bytes", .phase = phase});
  EXPECT_EQ(captured.err, "downloading\nverifying\n");
}

TEST(ProgressLine, is_silent_when_asked) {
  Captured captured;
  auto console = capturing_console(captured, {.terminal = true});
  {
    ProgressLine(console.err, Narration::quiet).show(downloading());
  }
  EXPECT_EQ(captured.err, "");
}

}  // namespace
}  // namespace puna::cli
