#include "model/quantization_name.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

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

TEST(QuantizationName, is_read_off_the_names_that_files_have) {
  for (const auto& [path, expected] : std::vector<std::pair<std::string, std::string>>{{"SmolLM2-135M-Instruct.Q4_1.gguf", "Q4_1"},
                                                                                       {"ggml-model-q4_k_m.gguf", "Q4_K_M"},
                                                                                       {"qwen2_5_7b_iq3_xxs.gguf", "IQ3_XXS"},
                                                                                       {"x-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"},
                                                                                       {"x.i1-IQ3_XS.gguf", "IQ3_XS"},
                                                                                       {"gpt-oss-20b-mxfp4.gguf", "MXFP4"},
                                                                                       {"x-fp16.gguf", "F16"},
                                                                                       {"x-BF16-00002-of-00003.gguf", "BF16"},
                                                                                       {"Q8_0/model-00001-of-00002.gguf", "Q8_0"},
                                                                                       {"gemma-3-4b-it-qat-q4_0.gguf", "Q4_0"},
                                                                                       {"x-TQ1_0-imat.gguf", "TQ1_0"},
                                                                                       {"x-Q4_0_4_8.gguf", "Q4_0_4_8"}})
    EXPECT_EQ(quantization_in(path), expected) << path;
  for (const std::string_view path : {"model.gguf", "qwen3-8b.gguf", "q4all.gguf", "Q.gguf", "v0.1.gguf"})
    EXPECT_EQ(quantization_in(path), std::nullopt) << path;
}

TEST(QuantizationName, may_be_one_of_a_fork) {
  EXPECT_EQ(quantization_in("bitnet-IQ2_BN.gguf"), "IQ2_BN");
  EXPECT_EQ(quantization_in("x-Q8_KV.gguf"), "Q8_KV");
}

TEST(QuantizationName, is_taken_off_the_end_of_a_stem) {
  for (const auto& [stem, rest] : std::vector<std::pair<std::string, std::string>>{{"smollm2-q4_k_m", "smollm2"},
                                                                                   {"x-UD-Q4_K_XL", "x"},
                                                                                   {"x_fp16", "x"},
                                                                                   {"x-Q4_0-imat", "x-Q4_0-imat"},
                                                                                   {"UD-Q4_0", "UD-Q4_0"},
                                                                                   {"-Q4_0", "-Q4_0"},
                                                                                   {"plain", "plain"},
                                                                                   {"", ""}})
    EXPECT_EQ(without_quantization(stem), rest) << stem;
}

TEST(QuantizationName, a_part_knows_its_number_and_the_name_of_the_whole) {
  const auto part = part_of("x-Q4_0-00002-of-00003.gguf").value();
  EXPECT_EQ(part.number, 2u);
  EXPECT_EQ(part.count, 3u);
  EXPECT_EQ(stem_of("x-Q4_0-00002-of-00003.gguf"), "x-Q4_0");
  EXPECT_EQ(stem_of("x-Q4_0.gguf"), "x-Q4_0");
  for (const auto* file : {"x-00004-of-00003.gguf", "x-00000-of-00003.gguf", "x-1-of-3.gguf", "00001-of-00003.gguf", "x.gguf"})
    EXPECT_FALSE(part_of(file)) << file;
}

}  // namespace
}  // namespace puna::model
