// Rows under headings, as `puna list` prints them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/screen/console.h"

namespace puna::cli {

enum class Align { left, right };

struct Column {
  std::string_view title;
  Align align = Align::left;
  bool gives_way = false;  // is shortened when the terminal is too narrow for the row
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // `width`: what the lines have to fit in; nullopt: nothing is shortened.
  [[nodiscard]] std::string render(std::optional<std::size_t> width) const;
  // As wide as the stream's terminal; whole into a file.
  void print(Stream& stream) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths(std::optional<std::size_t> limit) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace puna::cli
