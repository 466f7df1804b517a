#include "cli/screen/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/cli_testing.h"
#include "cli/screen/width.h"

namespace puna::cli {
namespace {

using testing::HasSubstr;

PlotCurve falling() {
  PlotCurve out{.name = "loss", .tone = Tone::accent};
  for (int step = 0; step <= 40; ++step) out.points.push_back({static_cast<double>(step), 4.0 / (1 + step / 8.0)});
  return out;
}

std::string drawn(const std::vector<PlotCurve>& curves, PlotSize size) {
  Captured captured;
  const auto console = capturing_console(captured);
  return join(plot_lines(curves, size, console.err), "\n");
}

TEST(Plot, draws_a_curve_between_its_axes) {
  EXPECT_EQ(drawn({falling()}, {44, 9}),
            "   ━━ loss\n"
            "4 ┤⠱⡀                                       \n"
            "  │ ⠘⢄                                      \n"
            "  │   ⠑⠢⡀                                   \n"
            "2 ┤     ⠈⠑⠢⢄⣀⡀                              \n"
            "  │          ⠈⠑⠒⠢⠤⠤⢄⣀⣀⣀                     \n"
            "  │                    ⠉⠉⠉⠉⠒⠒⠒⠒⠒⠤⠤⠤⠤⠤⠤⠤⣀⣀⣀⣀⣀\n"
            "  └┬───────────────────┬───────────────────┬\n"
            "   0                  20                  40");
}

TEST(Plot, curves_that_cross_keep_their_colours) {
  Captured captured;
  auto console = capturing_console(captured);
  console.err.set_colour(true);
  PlotCurve level{.name = "evaluation", .tone = Tone::warning, .points = {{0, 2}, {40, 2}}};
  const std::vector<PlotCurve> curves = {falling(), level};
  const auto lines = plot_lines(curves, {44, 9}, console.err);
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines[0], HasSubstr("\033[36m━━\033[0m loss   \033[33m━━\033[0m evaluation"));
}

TEST(Plot, keeps_within_its_size) {
  for (std::size_t columns = 0; columns < 60; ++columns)
    for (std::size_t rows = 0; rows < 12; ++rows) {
      const auto text = drawn({falling()}, {columns, rows});
      if (text.empty()) continue;
      const auto lines = split(text, '\n');
      EXPECT_EQ(lines.size(), rows);
      for (const auto line : lines) EXPECT_LE(display_width(line), columns);
    }
}

TEST(Plot, one_point_is_a_dot_and_no_point_is_nothing) {
  EXPECT_THAT(drawn({{.name = "loss", .points = {{5, 1.5}}}}, {40, 8}), HasSubstr("1.5 ┤"));
  EXPECT_EQ(drawn({{.name = "loss"}}, {40, 8}), "");
}

}  // namespace
}  // namespace puna::cli
