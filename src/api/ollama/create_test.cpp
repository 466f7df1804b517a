#include "api/ollama/create.h"

#include <gtest/gtest.h>

#include "model/model_recipe.h"

namespace puna::api::ollama {
namespace {

Result<Creation> read(std::string_view body) {
  return read_creation(json::parse_object(body).value(), [](const std::string& sha256) -> Result<std::filesystem::path> {
    return std::filesystem::path("/uploads/sha256-" + sha256);
  });
}
std::string digest(char digit) {
  return "sha256:" + std::string(64, digit);
}

TEST(OllamaCreate, what_is_said_arrives_in_the_recipe_whatever_it_is_made_of) {
  const auto creation =
      read(R"({"from":"base","system":"say \"\"\"hi\"\"\"\n\u0001","parameters":{"temperature":0.5,"stop":["a","b"],"num_ctx":99},
    "messages":[{"role":"user","content":"x"}],"license":["L1","L2"]})");
  const auto recipe = model::parse_recipe_toml(creation.value().recipe);
  ASSERT_TRUE(recipe) << recipe.error().text() << "\n" << creation->recipe;
  EXPECT_EQ(recipe->from, "base");
  EXPECT_EQ(recipe->recipe.system, "say \"\"\"hi\"\"\"\n\x01");
  EXPECT_EQ(json::to_text(recipe->recipe.parameters), R"({"stop":["a","b"],"temperature":0.5})");
  EXPECT_EQ(recipe->recipe.context, 99);
  EXPECT_EQ(recipe->recipe.messages.at(0).content, "x");
  EXPECT_EQ(recipe->licences.size(), 2U);
}

TEST(OllamaCreate, a_file_that_was_brought_is_the_base) {
  const auto creation = read(fmt::format(R"({{"files":{{"m.gguf":"{}"}},"quantize":"q4_K_M"}})", digest('a')));
  EXPECT_EQ(model::parse_recipe_toml(creation.value().recipe).value().from, "/uploads/sha256-" + std::string(64, 'a'));
  EXPECT_EQ(creation->uploads, std::vector<std::string>{std::string(64, 'a')});
  EXPECT_EQ(creation->quantize, "q4_K_M");
}

TEST(OllamaCreate, what_cannot_be_made_is_named) {
  EXPECT_EQ(read("{}").error().message, "from: either 'from' or 'files' must say what the model is made of");
  EXPECT_EQ(read(R"({"files":{"m.gguf":"x"}})").error().message, "files.m.gguf: expected sha256: and 64 hexadecimal digits");
  EXPECT_EQ(read(fmt::format(R"({{"files":{{"m.safetensors":"{}"}}}})", digest('a'))).error().code, Code::unsupported);
  EXPECT_EQ(read(R"({"from":"b","parameters":{"use_mmap":true}})").error().message,
            "parameters.use_mmap: only numbers and texts can be kept with a model");
}

}  // namespace
}  // namespace puna::api::ollama
