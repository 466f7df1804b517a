#include "trainer/interview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/random_adapter.h"
#include "models/tiny_model.h"
#include "trainer/rows_testing.h"

namespace puna::trainer {
namespace {

using testing::ElementsAre;

class Interviewed : public testing::Test {
 protected:
  Interview interview() { return {bench_.vocabulary(), bench_.chat_template(), {.model = bench_.model().file(), .output_tokens = 48}}; }
  std::filesystem::path adapter() {
    auto file = bench_.model().file().parent_path() / "lora.gguf";
    EXPECT_TRUE(tiny_model::write_random_adapter(file, bench_.model().file(), 1, 8));
    return file;
  }

  RowBench bench_;
};

TEST_F(Interviewed, is_asked_what_stands_before_the_last_answer) {
  const auto row =
      bench_.row(R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},)"
                 R"({"role":"assistant","content":"d"}]})");
  const auto question = interview().question(row);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->prompt, "c");
  EXPECT_THAT(bench_.vocabulary().text(question->tokens),
              testing::EndsWith("assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"));
  EXPECT_THAT(question->references, ElementsAre("d"));
}

TEST_F(Interviewed, compares_with_the_better_of_two_answers_and_never_with_a_bad_one) {
  const RowBench pairs("marked turns", {.method = wire::TuneMethod::dpo});
  EXPECT_THAT(interview().question(pairs.row(R"({"prompt":"a","chosen":"b","rejected":"c"})"))->references, ElementsAre("b"));
  const RowBench judged("marked turns", {.method = wire::TuneMethod::kto});
  EXPECT_THAT(interview().question(judged.row(R"({"prompt":"a","completion":"b","label":false})"))->references, ElementsAre());
}

TEST_F(Interviewed, samples_say_what_the_model_says_now) {
  const std::vector<std::string> prompts = {"Hi", "Tell me more"};
  const auto base = interview().samples(prompts, Interview::Asked::chat, {}, {}).value();
  ASSERT_EQ(base.size(), 2U);
  EXPECT_EQ(base[1].prompt, "Tell me more");
  EXPECT_EQ(base[1].text, tiny_model::kAnswer);
  EXPECT_NE(interview().samples(prompts, Interview::Asked::chat, adapter(), {}).value()[0].text, base[0].text);
}

TEST_F(Interviewed, base_and_tuned_model_answer_the_same_rows_and_are_scored) {
  const std::string right = R"({"prompt":"a","completion":")" + std::string(tiny_model::kAnswer) + "\"}\n";
  const auto data =
      bench_.folder().open("a.jsonl", right + R"({"prompt":"b","completion":"something else"})" + "\n", bench_.data_options());
  wire::TuneReport report{.before = {.loss = 2.5}};
  std::vector<std::size_t> told;
  const std::vector<std::uint32_t> which = {0, 1};
  const auto done = interview().compare(data->rows(), which, adapter(), report, {}, [&](std::size_t count) { told.push_back(count); });
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(report.generated, 2);
  EXPECT_EQ(report.outputs.at(1).line, 2);
  EXPECT_EQ(report.outputs[0].before, tiny_model::kAnswer);
  EXPECT_EQ(report.before.exact_match, 0.5);
  EXPECT_EQ(report.before.loss, 2.5);
  EXPECT_EQ(report.after.exact_match, 0.0);
  EXPECT_THAT(told, ElementsAre(1, 2, 3, 4));
}

TEST_F(Interviewed, of_documents_goes_on_from_their_first_words) {
  const RowBench documents("marked turns", {.method = wire::TuneMethod::pretrain});
  const auto question = interview().question(documents.row(R"({"text":"Llamas walk slowly over a high plain"})"));
  ASSERT_TRUE(question);
  EXPECT_THAT(question->prompt, testing::StartsWith("<s>Llamas"));
  EXPECT_TRUE(question->references.empty());
}

}  // namespace
}  // namespace puna::trainer
