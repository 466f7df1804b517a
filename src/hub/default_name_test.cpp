#include "hub/default_name.h"

#include <gtest/gtest.h>

namespace puna::hub {
namespace {

TEST(DefaultName, is_the_stem_in_lower_case_with_the_quantization_as_tag) {
  EXPECT_EQ(default_name("SmolLM2-135M-Instruct-Q4_1.gguf"), "smollm2-135m-instruct:q4_1");
  EXPECT_EQ(default_name("llama-3.2-1b.Q4_K_M.gguf"), "llama-3.2-1b:q4_k_m");
  EXPECT_EQ(default_name("gpt-oss-20b-mxfp4.gguf"), "gpt-oss-20b:mxfp4");
  EXPECT_EQ(default_name("Qwen3-8B-UD-IQ3_XXS.gguf"), "qwen3-8b:ud-iq3_xxs");
  EXPECT_EQ(default_name("bitnet-TQ2_0.GGUF"), "bitnet:tq2_0");
}

TEST(DefaultName, has_no_tag_without_a_quantization) {
  EXPECT_EQ(default_name("tiny.gguf"), "tiny");
  EXPECT_EQ(default_name("q4_0.gguf"), "q4_0");
  EXPECT_EQ(default_name("qwen-q-coder.gguf"), "qwen-q-coder");
}

TEST(DefaultName, replaces_what_a_name_may_not_hold) {
  EXPECT_EQ(default_name("My Model (final)+v2.gguf"), "my-model--final--v2");
  EXPECT_EQ(default_name("..model-.gguf"), "model");
  EXPECT_EQ(default_name("….gguf"), "");
}

}  // namespace
}  // namespace puna::hub
