#include "cli/screen/table.h"

#include <gtest/gtest.h>

namespace puna::cli {
namespace {

Table sample() {
  Table table({{.title = "NAME", .gives_way = true}, {"ID"}, {.title = "SIZE", .align = Align::right}});
  table.add({"smollm2:135m", "9e6855bc9e4b", "93.8 MiB"});
  table.add({"日本語モデル", "0123456789ab", "1.20 GiB"});
  return table;
}

TEST(Table, lines_its_columns_up) {
  EXPECT_EQ(sample().render(std::nullopt),
            "NAME           ID                 SIZE\n"
            "smollm2:135m   9e6855bc9e4b   93.8 MiB\n"
            "日本語モデル   0123456789ab   1.20 GiB\n");
}

TEST(Table, shortens_the_column_that_gives_way) {
  EXPECT_EQ(sample().render(36),
            "NAME         ID                 SIZE\n"
            "smollm2:1…   9e6855bc9e4b   93.8 MiB\n"
            "日本語モ…    0123456789ab   1.20 GiB\n");
}

TEST(Table, foreign_text_cannot_break_the_row) {
  Table table({{"NAME"}});
  table.add({"a\nb\033[2J"});
  EXPECT_EQ(table.render(std::nullopt), "NAME\na b\uFFFD[2J\n");
}

TEST(Table, without_rows_it_is_its_headings) {
  EXPECT_EQ(Table({{"NAME"}, {"ID"}}).render(80), "NAME   ID\n");
}

}  // namespace
}  // namespace puna::cli
