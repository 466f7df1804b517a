#include "inference/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inference/inference_testing.h"

namespace puna::inference {
namespace {

TEST(Vocabulary, gives_back_the_bytes_of_what_it_read) {
  const SmallModel model;
  const auto vocabulary = Vocabulary::open(model.file()).value();
  const std::string text = "Llamas walk\n\nçé 漢字 <|im_end|>";
  EXPECT_EQ(vocabulary.text(vocabulary.continuation(text)), text);
  EXPECT_EQ(vocabulary.text(vocabulary.prompt(text)), "<s>" + text);
}

TEST(Vocabulary, continues_a_text_as_if_it_had_been_read_in_one) {
  const auto file = real_model();
  if (!file) GTEST_SKIP() << "the test models are not here: ./dev setup fetches them";
  const auto vocabulary = Vocabulary::open(*file).value();
  auto pieces = vocabulary.prompt("The answer is");
  const auto more = vocabulary.continuation(" forty-two.\n");
  pieces.insert(pieces.end(), more.begin(), more.end());
  EXPECT_EQ(pieces, vocabulary.prompt("The answer is forty-two.\n"));
}

TEST(Vocabulary, knows_what_ends_an_answer) {
  const SmallModel model;
  const auto vocabulary = Vocabulary::open(model.file()).value();
  ASSERT_TRUE(vocabulary.end_of_text());
  EXPECT_EQ(vocabulary.piece(*vocabulary.end_of_text()), "<|im_end|>");
  EXPECT_TRUE(vocabulary.ends(*vocabulary.end_of_text()));
  EXPECT_FALSE(vocabulary.ends(vocabulary.continuation("Llamas").front()));
}

TEST(Vocabulary, of_a_file_that_is_no_model_is_refused_by_name) {
  const SmallModel model;
  const auto refused = Vocabulary::open(model.write("no.gguf", "nothing"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("no.gguf"));
}

}  // namespace
}  // namespace puna::inference
