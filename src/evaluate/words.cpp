#include "evaluate/words.h"

#include <clocale>
#include <cwctype>

#include "base/code_point.h"

namespace puna::evaluate {
namespace {

// Null where the system has no such locale; then only ASCII has cases, spaces and punctuation.
locale_t unicode() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

bool is_ascii_alnum(char32_t c) {
  return (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}

char32_t lower(char32_t c) {
  if (c < 0x80 || !unicode()) return c >= U'A' && c <= U'Z' ? c + (U'a' - U'A') : c;
  return static_cast<char32_t>(::towlower_l(static_cast<wint_t>(c), unicode()));
}

// Scripts that write no blanks between words: kana and ideographs.
bool stands_alone(char32_t c) {
  return (c >= 0x3041 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

}  // namespace

bool is_word_character(char32_t c) {
  if (c < 0x80) return is_ascii_alnum(c);
  return !unicode() || ::iswalnum_l(static_cast<wint_t>(c), unicode()) != 0;
}

bool is_space(char32_t c) {
  if (c < 0x80 || !unicode()) return c == U' ' || (c >= U'\t' && c <= U'\r');
  return ::iswspace_l(static_cast<wint_t>(c), unicode()) != 0 || c == 0xA0 || c == 0x2007 || c == 0x202F;
}

std::u32string lower(std::string_view text) {
  std::u32string out = code_points(text);
  for (char32_t& c : out) c = lower(c);
  return out;
}

Words words(std::string_view text) {
  Words out;
  bool inside = false;
  for (const char32_t c : lower(text)) {
    if (!is_word_character(c)) {
      inside = false;
      continue;
    }
    const bool alone = stands_alone(c);
    if (!inside || alone) out.emplace_back();
    out.back() += c;
    inside = !alone;
  }
  return out;
}

}  // namespace puna::evaluate
