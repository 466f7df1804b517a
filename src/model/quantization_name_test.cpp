#include "model/quantization_name.h"

#include <gtest/gtest.h>

namespace puna::model {
namespace {

TEST(QuantizationName, is_found_whatever_stands_around_it) {
  for (const auto& [file, name] : std::map<std::string, std::string>{{"smollm2-135m-instruct-q4_k_m.gguf", "Q4_K_M"},
                                                                     {"Llama-3.2-1B-Instruct.Q8_0.gguf", "Q8_0"},
                                                                     {"x-UD-IQ2_XXS-00001-of-00002.gguf", "UD-IQ2_XXS"},
                                                                     {"Qwen2.5-0.5B-F16.gguf", "F16"},
                                                                     {"gpt-oss-20b-MXFP4.gguf", "MXFP4"},
                                                                     {"model-Q4_0_4_4.gguf", "Q4_0_4_4"},
                                                                     {"q8-of-something-bf16.gguf", "BF16"}})
    EXPECT_EQ(quantization_in(file), name) << file;
  for (const auto* file : {"Qwen2.5-7B.gguf", "quantum.gguf", "q.gguf", "", ".gguf", "Q4KM.gguf"})
    EXPECT_EQ(quantization_in(file), std::nullopt) << file;
}

TEST(QuantizationName, a_part_knows_its_number_and_the_name_of_the_whole) {
  const auto part = part_number_in("x-Q4_0-00002-of-00003.gguf").value();
  EXPECT_EQ(part.part, 2u);
  EXPECT_EQ(part.count, 3u);
  EXPECT_EQ(stem_of("x-Q4_0-00002-of-00003.gguf"), "x-Q4_0");
  EXPECT_EQ(stem_of("x-Q4_0.gguf"), "x-Q4_0");
  for (const auto* file : {"x-00004-of-00003.gguf", "x-00000-of-00003.gguf", "x-1-of-3.gguf", "00001-of-00003.gguf", "x.gguf"})
    EXPECT_FALSE(part_number_in(file)) << file;
}

}  // namespace
}  // namespace puna::model
