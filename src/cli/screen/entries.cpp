#include "cli/screen/entries.h"

#include "cli/screen/width.h"

namespace puna::cli {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kDeepIndent = 8;
constexpr std::size_t kWidestLabel = 28;
constexpr std::size_t kLeastText = 20;  // columns beside the labels that are worth using

}  // namespace

std::string list_entries(const std::vector<Entry>& entries, std::size_t width) {
  std::size_t widest = 0;
  for (const auto& entry : entries)
    if (entry.label.size() <= kWidestLabel) widest = std::max(widest, entry.label.size());
  const std::size_t beside = kIndent + widest + kIndent;
  const bool narrow = beside + kLeastText > width;
  const std::size_t column = narrow ? kDeepIndent : beside;
  std::string out;
  for (const auto& entry : entries) {
    std::string text = fill(entry.text, width, column);
    const std::string label = std::string(kIndent, ' ') + entry.label;
    if (!narrow && label.size() + kIndent <= column)
      text.replace(0, column, pad_right(label, column));
    else
      text.insert(0, label + '\n');
    out += text;
  }
  return out;
}

}  // namespace puna::cli
