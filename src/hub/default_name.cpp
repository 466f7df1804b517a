#include "hub/default_name.h"

#include <algorithm>

#include "base/text.h"
#include "model/quantization_name.h"

namespace puna::hub {
namespace {

constexpr std::string_view kSeparators = "-._";

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || kSeparators.contains(c);
}

std::string_view without_outer_separators(std::string_view text) {
  const auto first = text.find_first_not_of(kSeparators);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSeparators) - first + 1);
}

}  // namespace

std::string default_name(std::string_view file_name) {
  std::string stem = lower_ascii(file_name);
  if (stem.ends_with(".gguf")) stem.resize(stem.size() - 5);
  std::ranges::replace_if(stem, [](char c) { return !is_name_character(c); }, '-');
  const std::string_view whole = without_outer_separators(stem);
  const auto name = model::without_quantization(whole);
  if (name.size() == whole.size()) return std::string(whole);
  return std::string(name) + ":" + std::string(without_outer_separators(whole.substr(name.size())));
}

}  // namespace puna::hub
