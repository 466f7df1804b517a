#include "model/quantization_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <vector>

#include "base/text.h"

namespace puna::model {
namespace {

constexpr std::size_t kPartMark = 15;  // "-00001-of-00003"

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// "Q4", "IQ3", "TQ1": letters, one digit, then nothing or "_" and more of [A-Z0-9_].
bool is_quantization(std::string_view word) {
  constexpr std::array<std::string_view, 9> kWhole = {"F16", "F32", "BF16", "F64", "FP16", "FP32", "MXFP4", "NVFP4", "MXFP4_MOE"};
  if (std::ranges::find(kWhole, word) != kWhole.end()) return true;
  for (const std::string_view prefix : {"IQ", "TQ", "Q"}) {
    if (!word.starts_with(prefix)) continue;
    const auto rest = word.substr(prefix.size());
    return !rest.empty() && is_digit(rest[0]) && (rest.size() == 1 || rest[1] == '_') && rest.size() <= 10 &&
           std::ranges::all_of(rest, [](char c) { return is_digit(c) || c == '_' || (c >= 'A' && c <= 'Z'); });
  }
  return false;
}

std::string_view without_extension(std::string_view file_name) {
  const auto dot = file_name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? file_name : file_name.substr(0, dot);
}

}  // namespace

std::optional<PartNumber> part_number_in(std::string_view file_name) {
  const auto stem = without_extension(file_name);
  if (stem.size() < kPartMark) return std::nullopt;
  const auto mark = stem.substr(stem.size() - kPartMark);
  if (mark[0] != '-' || lower_ascii(mark.substr(6, 4)) != "-of-") return std::nullopt;
  PartNumber out;
  const auto number = [](std::string_view digits, std::size_t& into) {
    return std::ranges::all_of(digits, is_digit) && std::from_chars(digits.data(), digits.data() + digits.size(), into).ec == std::errc();
  };
  if (!number(mark.substr(1, 5), out.part) || !number(mark.substr(10, 5), out.count) || out.part == 0 || out.part > out.count)
    return std::nullopt;
  return out;
}

std::string_view stem_of(std::string_view file_name) {
  auto stem = without_extension(file_name);
  if (part_number_in(file_name)) stem.remove_suffix(kPartMark);
  return stem;
}

std::optional<std::string> quantization_in(std::string_view file_name) {
  const std::string stem = upper(stem_of(file_name));
  std::vector<std::string_view> words;
  for (const auto dashed : split(stem, '-'))
    for (const auto word : split(dashed, '.')) words.push_back(word);
  for (std::size_t i = words.size(); i-- > 0;) {
    if (!is_quantization(words[i])) continue;
    return (i > 0 && words[i - 1] == "UD" ? "UD-" : "") + std::string(words[i]);
  }
  return std::nullopt;
}

}  // namespace puna::model
