#include "cli/screen/table.h"

#include <numeric>

#include "base/text.h"
#include "cli/screen/width.h"

namespace puna::cli {
namespace {

constexpr std::size_t kGap = 3;
constexpr std::size_t kLeast = 8;  // a column is not shortened below this

std::string one_line(std::string_view text) {
  std::string out = printable(text);
  std::ranges::replace(out, '\n', ' ');
  std::ranges::replace(out, '\t', ' ');
  return out;
}

}  // namespace

std::vector<std::size_t> Table::widths(std::optional<std::size_t> limit) const {
  std::vector<std::size_t> out;
  for (const auto& column : columns_) out.push_back(display_width(column.title));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < columns_.size(); ++i) out[i] = std::max(out[i], display_width(one_line(row[i])));
  if (!limit) return out;
  std::size_t total = std::accumulate(out.begin(), out.end(), kGap * (columns_.size() - 1));
  for (std::size_t i = columns_.size(); i-- > 0 && total > *limit;) {
    if (!columns_[i].gives_way || out[i] <= kLeast) continue;
    const std::size_t cut = std::min(total - *limit, out[i] - kLeast);
    out[i] -= cut;
    total -= cut;
  }
  return out;
}

std::string Table::render(std::optional<std::size_t> width) const {
  const auto room = widths(width);
  std::string out;
  const auto put = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string cell = shorten(cell_of(i), room[i]);
      line += columns_[i].align == Align::right ? pad_left(cell, room[i]) : pad_right(cell, room[i]);
      line += std::string(kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  put([&](std::size_t i) { return std::string(columns_[i].title); });
  for (const auto& row : rows_) put([&](std::size_t i) { return one_line(row[i]); });
  return out;
}

void Table::print(Stream& stream) const {
  stream.write(render(stream.is_terminal() ? std::optional(stream.width()) : std::nullopt));
}

}  // namespace puna::cli
