#include "evaluate/scores.h"

#include <gtest/gtest.h>

#include "evaluate/rouge.h"
#include "evaluate/squad.h"

namespace puna::evaluate {
namespace {

struct Wanted {
  double precision, recall, f1;
};

void expect_overlap(const Overlap& got, const Wanted& wanted) {
  EXPECT_NEAR(got.precision, wanted.precision, 1e-6);
  EXPECT_NEAR(got.recall, wanted.recall, 1e-6);
  EXPECT_NEAR(got.f1, wanted.f1, 1e-6);
}

double chrf(std::string_view answer, std::vector<std::string> references) {
  ChrF out;
  out.add(answer, references);
  return out.score();
}

wire::TuneScores mean_of(std::vector<std::pair<std::string, std::vector<std::string>>> rows) {
  Scores out;
  for (const auto& [answer, references] : rows) out.add(answer, references);
  return out.mean();
}

// The sentences of Lin's paper, section 3: two candidates with the same pairs in common, told apart by the order of their words.
TEST(Rouge, agrees_with_the_example_of_its_paper) {
  const Words reference = words("police killed the gunman");
  EXPECT_DOUBLE_EQ(rouge_n(words("police kill the gunman"), reference, 2).recall, 1.0 / 3);
  EXPECT_DOUBLE_EQ(rouge_n(words("the gunman kill police"), reference, 2).recall, 1.0 / 3);
  EXPECT_DOUBLE_EQ(rouge_l(words("police kill the gunman"), reference).f1, 0.75);
  EXPECT_DOUBLE_EQ(rouge_l(words("the gunman kill police"), reference).f1, 0.5);
}

// Figures of the package rouge-score 0.1.2 without its stemmer.
TEST(Rouge, agrees_with_rouge_score) {
  const Words answer = words("The quick brown fox jumps over the lazy dog.");
  const Words reference = words("A quick brown dog jumps over the lazy fox, twice.");
  expect_overlap(rouge_n(answer, reference, 1), {0.888889, 0.8, 0.842105});
  expect_overlap(rouge_n(answer, reference, 2), {0.5, 0.444444, 0.470588});
  expect_overlap(rouge_l(answer, reference), {0.666667, 0.6, 0.631579});
  expect_overlap(rouge_n(words("It costs 12.50 euros (really)"), words("It costs 12 euros!"), 2), {0.4, 0.666667, 0.5});
}

TEST(Rouge, counts_a_word_as_often_as_both_texts_have_it) {
  expect_overlap(rouge_n(words("A B A B C"), words("a b c a b"), 2), {0.75, 0.75, 0.75});
  expect_overlap(rouge_n(words("the the the the"), words("the cat"), 1), {0.25, 0.5, 1.0 / 3});
}

TEST(Rouge, a_text_without_words_has_nothing_in_common) {
  expect_overlap(rouge_n(words("..."), words("anything"), 1), {0, 0, 0});
  expect_overlap(rouge_l(words(""), words("")), {0, 0, 0});
}

TEST(Words, are_runs_of_letters_and_digits_of_any_script) {
  EXPECT_EQ(words("Ein ÄRGER—größer, 3x"), (Words{U"ein", U"ärger", U"größer", U"3x"}));
  EXPECT_EQ(words("我喜欢 apples"), (Words{U"我", U"喜", U"欢", U"apples"}));
}

// Figures of sacreBLEU 2.6's sentence_score().
TEST(ChrF, agrees_with_sacrebleu) {
  EXPECT_NEAR(chrf("The cat sat on the mat", {"The cat is sitting on the mat"}), 46.950097, 1e-5);
  EXPECT_NEAR(chrf("abc", {"abd"}), 38.888889, 1e-5);
  EXPECT_NEAR(chrf("Die Straße ist lang", {"Die Straßen sind länger"}), 43.532573, 1e-5);
  EXPECT_NEAR(chrf("我喜欢吃苹果", {"我爱吃苹果"}), 31.167472, 1e-5);
  EXPECT_NEAR(chrf("the cat", {"a dog", "the cats"}), 77.571033, 1e-5);
  EXPECT_DOUBLE_EQ(chrf("  hi  there ", {"hi there"}), 100);
  EXPECT_DOUBLE_EQ(chrf("", {"x"}), 0);
}

TEST(ChrF, of_several_rows_is_that_of_one_text) {
  ChrF three;
  three.add("The cat sat on the mat", std::vector<std::string>{"The cat is sitting on the mat"});
  three.add("abc", std::vector<std::string>{"abd"});
  three.add("Die Straße ist lang", std::vector<std::string>{"Die Straßen sind länger"});
  EXPECT_NEAR(three.score(), 45.052774, 1e-5);
}

TEST(Squad, compares_without_case_punctuation_and_articles) {
  EXPECT_EQ(normal_answer("  The U.S.  and a Theatre, an apple! "), U"us and theatre apple");
  EXPECT_EQ(exact_match("The Eiffel Tower.", "eiffel tower"), 1);
  EXPECT_EQ(exact_match("Eiffel towers", "eiffel tower"), 0);
}

TEST(Squad, f1_counts_the_words_that_both_have) {
  EXPECT_DOUBLE_EQ(token_f1("in the city of Paris", "Paris, France"), 2 * (0.25 * 0.5) / 0.75);
  EXPECT_EQ(token_f1("Paris", "Rome"), 0);
}

TEST(Squad, an_empty_answer_is_right_where_there_is_none) {
  EXPECT_EQ(token_f1("the", ""), 1);
  EXPECT_EQ(token_f1("", "Rome"), 0);
}

TEST(Scores, are_means_of_the_best_reference_of_each_row) {
  const auto scores = mean_of({{"Paris", {"Rome", "paris"}}, {"a cat", {"dogs bark"}}});
  EXPECT_DOUBLE_EQ(scores.exact_match.value_or(-1), 0.5);
  EXPECT_DOUBLE_EQ(scores.token_f1.value_or(-1), 0.5);
  EXPECT_DOUBLE_EQ(scores.rouge1.value_or(-1), 0.5);
}

TEST(Scores, say_nothing_where_nothing_was_wanted) {
  const auto scores = mean_of({{"Paris", {}}});
  EXPECT_FALSE(scores.exact_match);
  EXPECT_FALSE(scores.chrf);
}

TEST(Scores, count_valid_json_only_where_json_is_wanted) {
  EXPECT_DOUBLE_EQ(mean_of({{R"({"a": 1})", {R"({"a": 2})"}}, {R"({"a": )", {"[]"}}}).json_valid.value_or(-1), 0.5);
  EXPECT_FALSE(mean_of({{R"({"a": 1})", {R"({"a": 2})"}}, {"42", {"42"}}}).json_valid);
}

}  // namespace
}  // namespace puna::evaluate
