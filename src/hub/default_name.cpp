#include "hub/default_name.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace puna::hub {
namespace {

constexpr std::string_view kSeparators = "-._";
constexpr std::array<std::string_view, 8> kWithoutNumber = {"f16", "f32", "bf16", "fp16", "fp32", "mxfp4", "mxfp4_moe", "nvfp4"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || kSeparators.contains(c);
}

std::string_view without_outer_separators(std::string_view text) {
  const auto first = text.find_first_not_of(kSeparators);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSeparators) - first + 1);
}

}  // namespace

bool is_quantization(std::string_view text) {
  if (text.starts_with("ud-")) text.remove_prefix(3);
  if (std::ranges::find(kWithoutNumber, text) != kWithoutNumber.end()) return true;
  if (text.starts_with('i') || text.starts_with('t')) text.remove_prefix(1);
  if (text.size() < 2 || text[0] != 'q' || !is_digit(text[1])) return false;
  return std::ranges::all_of(text, [](char c) { return c == '_' || (is_name_character(c) && !kSeparators.contains(c)); });
}

std::string default_name(std::string_view file_name) {
  std::string stem = lower_ascii(file_name);
  if (stem.ends_with(".gguf")) stem.resize(stem.size() - 5);
  std::ranges::replace_if(stem, [](char c) { return !is_name_character(c); }, '-');
  const std::string_view whole = without_outer_separators(stem);
  for (std::size_t at = 1; at < whole.size(); ++at) {
    const auto tag = whole.substr(at + 1);
    if (!kSeparators.contains(whole[at]) || !is_quantization(tag)) continue;
    const auto model = without_outer_separators(whole.substr(0, at));
    if (!model.empty()) return std::string(model) + ":" + std::string(tag);
  }
  return std::string(whole);
}

}  // namespace puna::hub
