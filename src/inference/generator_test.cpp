#include "inference/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inference/chat_template.h"
#include "inference/inference_testing.h"
#include "models/random_adapter.h"
#include "models/tiny_model.h"

namespace puna::inference {
namespace {

class Speaking : public testing::Test {
 protected:
  std::vector<Token> prompt(std::string_view text) {
    const auto chat = ChatTemplate::create(vocabulary_).value();
    return vocabulary_.prompt(chat.render({{{"role", "user"}, {"content", text}}}, {}, Ending::answer_follows).value());
  }
  Generator open(GeneratorOptions options = {}) { return Generator::open(model_.file(), options).value(); }

  SmallModel model_;
  Vocabulary vocabulary_ = Vocabulary::open(model_.file()).value();
};

TEST_F(Speaking, goes_on_until_the_model_has_said_everything) {
  const std::vector<std::vector<Token>> prompts = {prompt("Hi"), prompt("Tell me of llamas"), prompt("a"), prompt("b"), prompt("c"),
                                                   prompt("d")};
  const auto answers = open({.context = 512, .together = 4}).answer(prompts).value();
  ASSERT_EQ(answers.size(), prompts.size());
  for (const auto& answer : answers) {
    EXPECT_TRUE(answer.ended);
    EXPECT_EQ(vocabulary_.text(answer.tokens), tiny_model::kAnswer);
  }
}

TEST_F(Speaking, ends_after_so_many_tokens_or_where_the_context_ends) {
  const std::vector<std::vector<Token>> prompts = {prompt("Hi")};
  const auto few = open({.most_tokens = 3}).answer(prompts).value();
  EXPECT_EQ(few[0].tokens.size(), 3U);
  EXPECT_FALSE(few[0].ended);
  const auto room = prompts[0].size() + 5;
  EXPECT_EQ(open({.context = room, .together = 1}).answer(prompts).value()[0].tokens.size(), 6U);  // the last one is not read any more
  EXPECT_TRUE(open({.context = prompts[0].size(), .together = 1}).answer(prompts).value()[0].tokens.empty());
}

TEST_F(Speaking, follows_an_adapter_and_comes_back_to_the_base) {
  const auto adapter = model_.file().parent_path() / "lora.gguf";
  ASSERT_TRUE(tiny_model::write_random_adapter(adapter, model_.file(), 1, 8));
  auto generator = open({.most_tokens = 12});
  const std::vector<std::vector<Token>> prompts = {prompt("Hi")};
  const auto base = generator.answer(prompts).value()[0].tokens;
  ASSERT_TRUE(generator.use_adapter(adapter));
  EXPECT_NE(generator.answer(prompts).value()[0].tokens, base);
  ASSERT_TRUE(generator.use_adapter({}));
  EXPECT_EQ(generator.answer(prompts).value()[0].tokens, base);
}

TEST_F(Speaking, refuses_an_adapter_that_is_none) {
  auto generator = open();
  const auto refused = generator.use_adapter(model_.write("no.gguf", "nothing"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("no.gguf"));
}

TEST_F(Speaking, stops_when_told) {
  std::stop_source stop;
  auto generator = open({.together = 1});
  const std::vector<std::vector<Token>> prompts = {prompt("Hi"), prompt("Ho")};
  const auto stopped = generator.answer(prompts, stop.get_token(), [&](std::size_t) { stop.request_stop(); });
  EXPECT_EQ(stopped.error().code, Code::cancelled);
}

TEST(Shown, is_an_answer_without_its_thoughts) {
  const SmallModel model;
  const auto vocabulary = Vocabulary::open(model.file()).value();
  const auto thinking = ChatTemplate::create(vocabulary, sample_template("thoughts of the last turn only")).value();
  EXPECT_EQ(thinking.shown("<think>\nhm\n</think>\n\nYes."), "Yes.");
  EXPECT_EQ(ChatTemplate::create(vocabulary).value().shown("Yes."), "Yes.");
}

}  // namespace
}  // namespace puna::inference
