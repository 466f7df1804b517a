#include "trainer/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "models/tiny_model.h"
#include "trainer/rows_testing.h"

namespace puna::trainer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using wire::TrainOn;
using wire::TuneMethod;

constexpr std::string_view kTwoTurns =
    R"({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"user","content":"Who?"},)"
    R"({"role":"assistant","content":"Me"}]})";

bool trained_at(const tune::TokenRow& row, std::size_t place) {
  return place < row.weights.size() && row.weights[place] > 0;
}

// Whether one of the rows has `before` and then, trained, something.
bool answers_behind(const std::vector<tune::TokenRow>& rows, const std::vector<inference::Token>& before) {
  return std::ranges::any_of(rows, [&](const tune::TokenRow& row) {
    const bool begins = row.tokens.size() > before.size() && std::equal(before.begin(), before.end(), row.tokens.begin());
    return begins && !trained_at(row, before.size() - 1) && trained_at(row, before.size());
  });
}

// ledger: F4
TEST(Rows, put_each_trained_answer_behind_exactly_the_tokens_that_the_server_has_there) {
  for (const auto& sample : inference::template_samples()) {
    const RowBench bench(sample.name);
    const inference::Served served(bench.model().file(), bench.model().write("template.jinja", sample.source));
    const auto messages = dataset::openai_messages(bench.row(kTwoTurns).messages);
    const auto rows = bench.render(kTwoTurns).value().rows;
    for (const std::size_t answer : {1U, 3U}) {
      const auto prompt = served.prompt(json::array(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(answer)));
      EXPECT_TRUE(answers_behind(rows, served.tokens(prompt))) << sample.name << ", answer " << answer;
    }
  }
}

TEST(Rows, end_each_trained_answer_with_the_token_that_ends_a_turn) {
  for (const auto& sample : inference::template_samples()) {
    const RowBench bench(sample.name);
    for (const auto& row : bench.render(kTwoTurns).value().rows) {
      EXPECT_TRUE(bench.vocabulary().ends(row.tokens.back())) << sample.name << ": " << bench.text(row);
      EXPECT_TRUE(trained_at(row, row.tokens.size() - 1)) << sample.name;
    }
  }
}

TEST(Rows, train_answers_with_their_ends_and_nothing_else) {
  EXPECT_THAT(RowBench().texts(kTwoTurns),
              ElementsAre("<s><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n⟦Hello<|im_end|>⟧\n<|im_start|>user\nWho?<|im_end|>\n"
                          "<|im_start|>assistant\n⟦Me<|im_end|>⟧"));
}

TEST(Rows, train_only_the_last_answer_when_told) {
  const auto texts = RowBench("marked turns", {.train_on = TrainOn::last}).texts(kTwoTurns);
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_THAT(texts[0], HasSubstr("assistant\nHello<|im_end|>\n<|im_start|>user"));
  EXPECT_THAT(texts[0], testing::EndsWith("assistant\n⟦Me<|im_end|>⟧"));
}

TEST(Rows, train_every_token_when_told) {
  EXPECT_THAT(RowBench("marked turns", {.train_on = TrainOn::all}).texts(kTwoTurns),
              ElementsAre("<s>⟦<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n"
                          "<|im_start|>assistant\nMe<|im_end|>\n⟧"));
}

TEST(Rows, weigh_each_message_as_it_says_itself) {
  const auto rows =
      RowBench()
          .render(R"({"messages":[{"role":"user","content":"a","train":true},{"role":"assistant","content":"b","weight":0.5},)"
                  R"({"role":"user","content":"c"},{"role":"assistant","content":"d","train":false}]})")
          .value()
          .rows;
  ASSERT_EQ(rows.size(), 1U);
  const RowBench bench;
  EXPECT_EQ(bench.text(rows[0]), "<s>⟦<|im_start|>user\na<|im_end|>\n⟧<|im_start|>assistant\n⟦b<|im_end|>⟧");
  EXPECT_EQ(rows[0].weights.back(), 0.5F);
}

TEST(Rows, end_a_turn_where_the_template_does_not_and_then_go_on_in_a_row_without_that_end) {
  EXPECT_THAT(RowBench("no end of a turn").texts(kTwoTurns),
              ElementsAre("<s>user: Hi\n\nassistant:⟦ Hello\n\n<|im_end|>⟧",
                          "<s>user: Hi\n\nassistant: Hello\n\nuser: Who?\n\nassistant:⟦ Me\n\n<|im_end|>⟧"));
}

TEST(Rows, show_each_turn_as_it_was_when_it_was_the_last) {
  EXPECT_THAT(
      RowBench("thoughts of the last turn only")
          .texts(R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_content":"hm"},)"
                 R"({"role":"user","content":"c"},{"role":"assistant","content":"d"}]})"),
      ElementsAre(HasSubstr("assistant\n⟦<think>\nhm\n</think>\n\nb<|im_end|>⟧"),
                  HasSubstr("assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n⟦<think>\n\n</think>\n\nd")));
}

TEST(Rows, close_the_thoughts_that_the_prompt_opens) {
  EXPECT_THAT(RowBench("thoughts opened by the prompt")
                  .texts(R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_content":"hm"}]})"),
              ElementsAre(HasSubstr("assistant\n<think>\n⟦hm\n</think>\n\nb<|im_end|>⟧")));
}

TEST(Rows, keep_an_end_that_was_said_and_stop_at_the_first_that_was_not) {
  EXPECT_THAT(RowBench("an end behind the end").texts(R"({"prompt":"a","completion":"say <|im_end|> twice"})"),
              ElementsAre(testing::EndsWith("⟦say <|im_end|> twice<|im_end|>⟧")));
}

TEST(Rows, lose_their_end_when_they_are_too_long_and_say_so) {
  const auto rendered = RowBench("marked turns", {.max_tokens = 40}).render(kTwoTurns);
  const RowBench whole;
  ASSERT_TRUE(rendered) << rendered.error().text();
  EXPECT_TRUE(rendered->truncated);
  EXPECT_EQ(rendered->rows.at(0).tokens.size(), 40U);
  EXPECT_EQ(rendered->longest, whole.render(kTwoTurns)->longest);
  EXPECT_FALSE(whole.render(kTwoTurns)->truncated);
}

TEST(Rows, whose_answer_begins_behind_the_limit_are_refused_with_what_to_do) {
  const auto refused = RowBench("marked turns", {.max_tokens = 10}).render(kTwoTurns);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::too_large);
  EXPECT_THAT(refused.error().message, HasSubstr("context"));
}

// ledger: F5
TEST(Rows, that_cannot_be_rendered_are_named_by_file_and_line) {
  const RowBench bench("marked turns", {.max_tokens = 40});
  auto options = bench.data_options();
  options.count_tokens = bench.renderer().counter();
  const auto data = bench.folder().open("data.jsonl",
                                        "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"a prompt of so many letters that nothing "
                                        "else has any room\",\"completion\":\"b\"}\n",
                                        options);
  ASSERT_TRUE(data) << data.error().text();
  EXPECT_EQ(data->report().statistics.rows, 1);
  EXPECT_THAT(dataset::findings(*data), testing::Contains(HasSubstr("data.jsonl:2")));
}

TEST(Rows, of_documents_train_every_token_once_however_they_are_cut) {
  const std::string text = "Llamas walk slowly over a high plain while wind moves dry grass";
  const std::string row = R"({"text":")" + text + R"("})";
  const auto whole = RowBench("marked turns", {.method = TuneMethod::pretrain}).render(row).value();
  const RowBench bench("marked turns", {.method = TuneMethod::pretrain, .max_tokens = 5});
  std::vector<inference::Token> trained;
  for (const auto& piece : bench.render(row).value().rows) {
    EXPECT_LE(piece.tokens.size(), 5U);
    trained.insert(trained.end(), piece.tokens.begin() + 1, piece.tokens.end());
  }
  ASSERT_EQ(whole.rows.size(), 1U);
  EXPECT_EQ(bench.text(whole.rows[0]), "⟦<s>" + text + "<|im_end|>⟧");
  EXPECT_EQ(trained, std::vector(whole.rows[0].tokens.begin() + 1, whole.rows[0].tokens.end()));
}

TEST(Rows, of_preferences_are_the_better_answer_and_then_the_worse_one) {
  const auto rows =
      RowBench("marked turns", {.method = TuneMethod::dpo}).render(R"({"prompt":"a","chosen":"b","rejected":"c"})").value().rows;
  const RowBench bench;
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].answer, tune::Answer::chosen);
  EXPECT_EQ(rows[1].answer, tune::Answer::rejected);
  EXPECT_THAT(bench.text(rows[0]), testing::EndsWith("user\na<|im_end|>\n<|im_start|>assistant\n⟦b<|im_end|>⟧"));
  EXPECT_THAT(bench.text(rows[1]), testing::EndsWith("user\na<|im_end|>\n<|im_start|>assistant\n⟦c<|im_end|>⟧"));
}

TEST(Rows, of_judged_answers_say_which_are_good) {
  const RowBench bench("marked turns", {.method = TuneMethod::kto});
  EXPECT_EQ(bench.render(R"({"prompt":"a","completion":"b","label":true})")->rows.at(0).answer, tune::Answer::good);
  EXPECT_EQ(bench.render(R"({"prompt":"a","completion":"b","label":false})")->rows.at(0).answer, tune::Answer::bad);
}

TEST(Rows, with_tools_show_them_and_train_the_call) {
  os::TemporaryFolder folder = os::TemporaryFolder::create().value();
  const auto file = folder.path() / "tools.gguf";
  ASSERT_TRUE(tiny_model::write(file, tiny_model::Kind::tools));
  const auto vocabulary = inference::Vocabulary::open(file).value();
  const auto chat = inference::ChatTemplate::create(vocabulary).value();
  const RowRenderer renderer(vocabulary, chat, {});
  const RowBench bench;
  const auto row = bench.row(
      R"({"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],)"
      R"("messages":[{"role":"user","content":"Weather?"},{"role":"assistant","tool_calls":[{"function":{"name":"get_weather","arguments":"{\"city\": \"Paris\"}"}}]}]})");
  const auto rendered = renderer.render(row);
  ASSERT_TRUE(rendered) << rendered.error().text();
  const auto text = vocabulary.text(rendered->rows.at(0).tokens);
  EXPECT_THAT(text, HasSubstr("<tools>\n{\"type\": \"function\""));
  EXPECT_THAT(text, testing::EndsWith(std::string(tiny_model::kToolCall) + "<|im_end|>"));
}

}  // namespace
}  // namespace puna::trainer
