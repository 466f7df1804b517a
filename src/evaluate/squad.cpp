#include "evaluate/squad.h"

#include "evaluate/rouge.h"
#include "evaluate/words.h"

namespace puna::evaluate {
namespace {

bool is_ascii_punctuation(char32_t c) {
  return (c >= U'!' && c <= U'/') || (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') || (c >= U'{' && c <= U'~');
}

bool is_article(std::u32string_view word) {
  return word == U"a" || word == U"an" || word == U"the";
}

std::u32string without_articles(const std::u32string& text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word_character(text[end])) ++end;
    const auto word = std::u32string_view(text).substr(at, end - at);
    if (is_article(word))
      out += U' ';
    else
      out += word;
    if (end < text.size()) out += text[end];
    at = end + 1;
  }
  return out;
}

Words between_blanks(std::u32string_view text) {
  Words out;
  bool inside = false;
  for (const char32_t c : text) {
    if (is_space(c)) {
      inside = false;
      continue;
    }
    if (!inside) out.emplace_back();
    inside = true;
    out.back() += c;
  }
  return out;
}

Words answer_words(std::string_view text) {
  std::u32string letters = lower(text);
  std::erase_if(letters, is_ascii_punctuation);
  return between_blanks(without_articles(letters));
}

}  // namespace

std::u32string normal_answer(std::string_view text) {
  std::u32string out;
  for (const auto& word : answer_words(text)) out += (out.empty() ? U"" : U" ") + word;
  return out;
}

double exact_match(std::string_view answer, std::string_view reference) {
  return normal_answer(answer) == normal_answer(reference) ? 1 : 0;
}

double token_f1(std::string_view answer, std::string_view reference) {
  const Words answered = answer_words(answer), wanted = answer_words(reference);
  if (answered.empty() || wanted.empty()) return answered.empty() && wanted.empty() ? 1 : 0;
  return rouge_n(answered, wanted, 1).f1;
}

}  // namespace puna::evaluate
