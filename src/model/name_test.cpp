#include "model/name.h"

#include <gtest/gtest.h>

namespace puna::model {
namespace {

TEST(ModelName, a_missing_tag_means_latest) {
  const auto name = Name::parse("smollm2").value();
  EXPECT_EQ(name.text(), "smollm2:latest");
  EXPECT_FALSE(name.tag_was_given());
  EXPECT_TRUE(Name::parse("smollm2:latest")->tag_was_given());
}

TEST(ModelName, case_is_kept_and_does_not_tell_names_apart) {
  const auto name = Name::parse("HuggingFaceTB/SmolLM2-135M:Q4_K_M").value();
  EXPECT_EQ(name.text(), "HuggingFaceTB/SmolLM2-135M:Q4_K_M");
  EXPECT_EQ(name.base(), "HuggingFaceTB/SmolLM2-135M");
  EXPECT_EQ(name.key(), Name::parse("huggingfacetb/smollm2-135m:q4_k_m")->key());
}

// ledger: M4
TEST(ModelName, what_could_be_a_path_an_option_or_a_trick_is_refused) {
  for (const std::string bad : {"",     ":",    "a:", ":b",    "/a",   "a/",   "a/b/c/d", "../a",  "a/..", "a..b", "-rf",  ".hidden", "a b",
                                "a\tb", "a\nb", "ä",  "a:b:c", "a:-x", "a\\b", "a%2fb",   "a:b/c", "a*",   "~a",   "a/-b", "\xff"})
    EXPECT_FALSE(Name::parse(bad)) << bad;
  EXPECT_FALSE(Name::parse(std::string("a\0b", 3)));
}

TEST(ModelName, a_host_may_stand_before_the_owner) {
  EXPECT_EQ(Name::parse("hf.co/owner/repo:Q4_0")->text(), "hf.co/owner/repo:Q4_0");
  EXPECT_FALSE(Name::parse("../owner/repo"));
}

TEST(ModelName, what_another_program_calls_a_model_becomes_a_name) {
  for (const auto& [theirs, ours] : std::map<std::string, std::string>{{"llama3.2:3b", "llama3.2:3b"},
                                                                       {"localhost:5000/me/x:v1", "localhost-5000/me/x:v1"},
                                                                       {"My Models/a..b", "My-Models/a.-b:latest"},
                                                                       {"../../etc/passwd", "unnamed/etc/passwd:latest"},
                                                                       {"a/b/c/d/e:t", "c/d/e:t"},
                                                                       {"-ü:", "unnamed:unnamed"},
                                                                       {"", "unnamed:latest"}}) {
    EXPECT_EQ(Name::made_from(theirs).text(), ours);
    EXPECT_TRUE(Name::parse(ours)) << ours;
  }
}

TEST(ModelName, parts_are_bounded) {
  EXPECT_TRUE(Name::parse(std::string(96, 'a')));
  EXPECT_FALSE(Name::parse(std::string(97, 'a')));
  EXPECT_FALSE(Name::parse("a:" + std::string(97, 'a')));
}

TEST(ModelName, the_error_says_what_is_wrong_and_what_is_right) {
  EXPECT_EQ(Name::parse("my model").error().message,
            "'my model' is no model name: the name contains ' '; names look like name, name:tag or owner/name:tag");
}

}  // namespace
}  // namespace puna::model
