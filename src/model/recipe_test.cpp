#include "model/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using wire::FileRole;

TEST(Recipe, parameters_are_taken_by_our_name_and_by_ollamas) {
  wire::Recipe recipe;
  set_parameter(recipe, "temperature", "0.2").value();
  set_parameter(recipe, "num_predict", "64").value();
  set_parameter(recipe, "num_ctx", "8192").value();
  set_parameter(recipe, "stop", "<a>").value();
  set_parameter(recipe, "stop", "<b>").value();
  EXPECT_EQ(json::to_text(recipe.parameters), R"({"temperature":0.2,"max_tokens":64,"stop":["<a>","<b>"]})");
  EXPECT_EQ(recipe.context, 8192);
}

TEST(Recipe, what_cannot_be_honoured_is_refused_by_name) {
  wire::Recipe recipe;
  const auto unknown = set_parameter(recipe, "num_gpu", "3").error();
  EXPECT_EQ(unknown.code, Code::unsupported);
  EXPECT_THAT(unknown.message, HasSubstr("'num_gpu' cannot be honoured here"));
  EXPECT_EQ(set_parameter(recipe, "top_p", "1.5").error().message, "top_p takes a number from 0 to 1, not '1.5'");
  EXPECT_EQ(set_parameter(recipe, "top_k", "1.5").error().code, Code::invalid_argument);
  EXPECT_EQ(set_parameter(recipe, "temperature", "nan").error().code, Code::invalid_argument);
  EXPECT_TRUE(is_empty(recipe));
}

TEST(Recipe, ollamas_files_fill_what_is_not_said_yet_and_tell_what_they_lose) {
  wire::Recipe recipe{.system = "ours"};
  EXPECT_TRUE(add_to_recipe(recipe, FileRole::system, "theirs").empty());
  EXPECT_THAT(add_to_recipe(recipe, FileRole::parameters, R"({"stop":["a","b"],"num_thread":4,"temperature":1})"),
              ElementsAre(HasSubstr("num_thread")));
  EXPECT_TRUE(add_to_recipe(recipe, FileRole::messages, R"([{"role":"user","content":"hi"}])").empty());
  EXPECT_EQ(recipe.system, "ours");
  EXPECT_EQ(recipe.messages.at(0).content, "hi");
  EXPECT_EQ(recipe.parameters.at("stop"), json::value({"a", "b"}));
  EXPECT_FALSE(add_to_recipe(recipe, FileRole::parameters, "no json").empty());
  wire::Recipe another;
  EXPECT_FALSE(add_to_recipe(another, FileRole::messages, R"({"a":1})").empty());
}

TEST(Recipe, a_template_is_jinja_and_gos_language_is_refused) {
  EXPECT_TRUE(check_chat_template("{% for m in messages %}{{ m.content }}{% endfor %}"));
  EXPECT_TRUE(check_chat_template("{{ messages[0].content }}"));
  for (const auto* text : {"{{ .Prompt }}", "{{- if .System }}x{{ end }}", "{{- range $i, $_ := .Messages }}"})
    EXPECT_EQ(check_chat_template(text).error().code, Code::unsupported) << text;
  EXPECT_FALSE(check_chat_template(" \n"));
}

}  // namespace
}  // namespace puna::model
