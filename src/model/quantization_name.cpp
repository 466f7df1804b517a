#include "model/quantization_name.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "base/text.h"

namespace puna::model {
namespace {

constexpr std::string_view kSeparators = "-._ /+";
constexpr std::string_view kPartShape = "-ddddd-of-ddddd";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string upper_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c & ~0x20);
  return out;
}

std::string_view without_extension(std::string_view path) {
  const auto dot = path.rfind('.');
  const auto slash = path.rfind('/');
  const bool in_name = dot != std::string_view::npos && (slash == std::string_view::npos || dot > slash + 1) && dot > 0;
  const auto ending = in_name ? lower_ascii(path.substr(dot)) : std::string();
  return ending == ".gguf" || ending == ".safetensors" ? path.substr(0, dot) : path;
}

// What may follow "Q4_": "K", "M", "XXS", "0", "NL" …
bool is_suffix(std::string_view word) {
  constexpr auto kKnown = std::to_array<std::string_view>({"K",  "S",  "M",  "L", "XS", "XXS", "XL", "XXL", "NL", "BN", "KS",  "KSS",
                                                           "KL", "KT", "KV", "0", "1",  "2",   "4",  "8",   "R4", "R8", "G128"});
  return std::ranges::find(kKnown, word) != kKnown.end();
}

std::size_t word_end(std::string_view text, std::size_t from) {
  return std::min(text.find_first_of(kSeparators, from), text.size());
}

// The length of "Q4_K_M", "IQ3_XXS", "TQ1_0" at the beginning; 0 when there is none.
std::size_t length_of_q(std::string_view text) {
  std::size_t at = text.starts_with('I') || text.starts_with('T') ? 1 : 0;
  if (at + 1 >= text.size() || text[at] != 'Q' || !is_digit(text[at + 1])) return 0;
  at += 2;
  if (at < text.size() && !kSeparators.contains(text[at])) return 0;
  while (at < text.size() && text[at] == '_') {
    const std::size_t end = word_end(text, at + 1);
    if (!is_suffix(text.substr(at + 1, end - at - 1))) break;
    at = end;
  }
  return at;
}

std::size_t length_of_float(std::string_view text) {
  constexpr auto kKnown =
      std::to_array<std::string_view>({"MXFP4_MOE", "MXFP4", "NVFP4", "BF16", "FP16", "FP32", "F16", "F32", "FP8", "F64"});
  for (const auto known : kKnown)
    if (text.starts_with(known) && (text.size() == known.size() || kSeparators.contains(text[known.size()]))) return known.size();
  return 0;
}

std::string canonical(std::string name) {
  if (name == "FP16" || name == "FP32") name.erase(1, 1);
  return name;
}

// What a text calls its quantization, and where.
struct Mark {
  std::string name;
  std::size_t begin = 0;  // of "UD-", where that stands before it
  std::size_t end = 0;
};

// The last one in the text, which is upper case.
std::optional<Mark> last_in(std::string_view text) {
  for (std::size_t at = text.size(); at-- > 0;) {
    if (at > 0 && !kSeparators.contains(text[at - 1])) continue;
    const auto rest = text.substr(at);
    const std::size_t length = std::max(length_of_q(rest), length_of_float(rest));
    if (length == 0) continue;
    const bool dynamic = at >= 3 && text.substr(at - 3, 3) == "UD-" && (at == 3 || kSeparators.contains(text[at - 4]));
    return Mark{.name = (dynamic ? "UD-" : "") + canonical(std::string(rest.substr(0, length))),
                .begin = dynamic ? at - 3 : at,
                .end = at + length};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Part> part_of(std::string_view path) {
  const auto stem = without_extension(path);
  if (stem.size() <= kPartShape.size()) return std::nullopt;
  const std::string mark = lower_ascii(stem.substr(stem.size() - kPartShape.size()));
  if (!std::ranges::equal(mark, kPartShape, [](char c, char shape) { return shape == 'd' ? is_digit(c) : c == shape; }))
    return std::nullopt;
  Part out;
  std::from_chars(mark.data() + 1, mark.data() + 6, out.number);
  std::from_chars(mark.data() + 10, mark.data() + 15, out.count);
  if (out.number == 0 || out.number > out.count) return std::nullopt;
  return out;
}

std::string_view stem_of(std::string_view path) {
  const auto stem = without_extension(path);
  return part_of(path) ? stem.substr(0, stem.size() - kPartShape.size()) : stem;
}

std::optional<std::string> quantization_in(std::string_view path) {
  const std::string stem = upper_ascii(stem_of(path));
  const auto slash = stem.rfind('/');
  const std::string_view name = std::string_view(stem).substr(slash == std::string::npos ? 0 : slash + 1);
  auto found = last_in(name);
  if (!found && slash != std::string::npos) found = last_in(std::string_view(stem).substr(0, slash));
  if (!found) return std::nullopt;
  return std::move(found->name);
}

std::string_view without_quantization(std::string_view stem) {
  const auto found = last_in(upper_ascii(stem));
  if (!found || found->end != stem.size()) return stem;
  const auto last = stem.substr(0, found->begin).find_last_not_of(kSeparators);
  return last == std::string_view::npos ? stem : stem.substr(0, last + 1);
}

}  // namespace puna::model
