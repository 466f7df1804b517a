#include "model/model_recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// ledger: T29
TEST(Modelfile, says_what_a_model_is_made_of_and_adds) {
  const auto made = parse_modelfile(R"(# a pirate
from smollm2:135m
PARAMETER temperature 0.3
parameter num_ctx 8192
PARAMETER stop "<|end|>"
PARAMETER stop AI:
SYSTEM """
You are a pirate.
Say "arr".
"""
MESSAGE user Hello there
MESSAGE assistant """Arr!
Welcome."""
ADAPTER ./pirate.gguf
LICENSE MIT
)")
                        .value();
  EXPECT_EQ(made.from, "smollm2:135m");
  EXPECT_EQ(made.recipe.system, "You are a pirate.\nSay \"arr\".\n");
  EXPECT_EQ(json::to_text(made.recipe.parameters), R"({"temperature":0.3,"stop":["<|end|>","AI:"]})");
  EXPECT_EQ(made.recipe.context, 8192);
  EXPECT_EQ(made.recipe.messages.at(1).content, "Arr!\nWelcome.");
  EXPECT_THAT(made.adapters, ElementsAre("./pirate.gguf"));
  EXPECT_THAT(made.licences, ElementsAre("MIT"));
}

TEST(Modelfile, names_the_line_of_what_it_cannot_honour) {
  const auto refusal = [](std::string_view line) { return parse_modelfile("FROM a\n" + std::string(line)).error(); };
  EXPECT_THAT(refusal("PARAMETER num_gpu 1").message, HasSubstr("line 2: the parameter 'num_gpu' cannot be honoured"));
  EXPECT_THAT(refusal("TEMPLATE {{ .Prompt }}").message, HasSubstr("line 2: the template is written in Go's template language"));
  EXPECT_EQ(refusal("RENDERER qwen3").code, Code::unsupported);
  EXPECT_THAT(refusal("FORM b").message, HasSubstr("'form' is no instruction"));
  EXPECT_THAT(refusal("FROM b").message, HasSubstr("twice"));
  EXPECT_THAT(refusal("SYSTEM \"\"\"no end").message, HasSubstr("does not end"));
  EXPECT_THAT(refusal("MESSAGE tool x").message, HasSubstr("role is system, user or assistant"));
  EXPECT_THAT(parse_modelfile("SYSTEM x").error().message, HasSubstr("FROM is missing"));
  EXPECT_FALSE(parse_modelfile("FROM"));
}

TEST(RecipeToml, says_the_same) {
  const auto made = parse_recipe_toml(R"(
from = "smollm2:135m"
system = "You are a pirate."
context = 8192
adapters = ["./pirate.gguf"]
licence = "MIT"
[parameters]
temperature = 0.3
stop = ["<|end|>", "AI:"]
[[messages]]
role = "user"
content = "Hello"
)")
                        .value();
  EXPECT_EQ(made.from, "smollm2:135m");
  EXPECT_EQ(json::to_text(made.recipe.parameters), R"({"stop":["<|end|>","AI:"],"temperature":0.3})");
  EXPECT_EQ(made.recipe.context, 8192);
  EXPECT_EQ(made.recipe.messages.size(), 1u);
  EXPECT_THAT(made.adapters, ElementsAre("./pirate.gguf"));
}

TEST(RecipeToml, names_what_is_wrong) {
  EXPECT_THAT(parse_recipe_toml("from = \"a\"\nsytem = \"x\"").error().message, HasSubstr("did you mean 'system'?"));
  EXPECT_THAT(parse_recipe_toml("from = ").error().message, HasSubstr("line 1"));
  EXPECT_THAT(parse_recipe_toml("from = 3").error().message, HasSubstr("from: expected a text"));
  EXPECT_THAT(parse_recipe_toml("system = \"x\"").error().message, HasSubstr("from is missing"));
  EXPECT_THAT(parse_recipe_toml("from = \"a\"\n[parameters]\nnum_gpu = 3").error().message, HasSubstr("num_gpu"));
  EXPECT_FALSE(parse_recipe_toml("from = \"a\"\nmessages = [1]"));
}

}  // namespace
}  // namespace puna::model
