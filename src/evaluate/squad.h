// Short answers judged as the evaluation script of SQuAD judges them. Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine
// Comprehension of Text", 2016; "Know What You Don't Know", 2018, for answers that are empty.
#pragma once

#include <string>
#include <string_view>

namespace puna::evaluate {

// Lower case, without ASCII punctuation and the articles "a", "an", "the", one blank between words.
[[nodiscard]] std::u32string normal_answer(std::string_view text);
// 1 or 0.
[[nodiscard]] double exact_match(std::string_view answer, std::string_view reference);
// F1 of the words that both have, from 0 to 1; where one of them has no words, whether the other has none either.
[[nodiscard]] double token_f1(std::string_view answer, std::string_view reference);

}  // namespace puna::evaluate
