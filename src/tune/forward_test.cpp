// Our forward pass against llama.cpp's, on the same file.
#include <gtest/gtest.h>

#include <algorithm>

#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

using gguf::TensorType;
using tiny_model::RandomModel;

constexpr double kFloatTolerance = 2e-5;  // two orders of adding in 32 bits

// llama.cpp looks gelu up in a table of 16-bit numbers; PyTorch does not, see adapter/peft_test.cpp.
double tolerance_of(const ArchitectureSpec& architecture) {
  return architecture.activation == Activation::gelu ? 2e-3 : kFloatTolerance;
}

double distance_to_judge(const RandomModel& random, std::size_t tokens = 70) {
  const TestModel model(random);
  const auto row = random_row(tokens, random.vocabulary, 3);
  Judge judge(model.file());
  return relative_distance(own_logits(model.model(), row.tokens), judge.logits(row.tokens));
}

TEST(Forward, is_llama_cpps_for_each_architecture) {
  for (const auto* architecture : architectures())
    EXPECT_LT(distance_to_judge({.architecture = std::string(architecture->name)}), tolerance_of(*architecture)) << architecture->name;
}

TEST(Forward, is_llama_cpps_with_windows_and_caps) {
  for (const std::string name : {"gemma2", "gemma3"}) {
    const RandomModel random{.architecture = name, .layers = 3, .window = 20, .cap = 3};
    EXPECT_LT(distance_to_judge(random, 200), tolerance_of(*find_architecture(name))) << name;
    RandomModel open = random;
    open.window = 500;
    const auto row = random_row(200, random.vocabulary, 3);
    EXPECT_GT(relative_distance(own_logits(TestModel(random).model(), row.tokens), own_logits(TestModel(open).model(), row.tokens)), 1e-2)
        << "the window hides nothing";
  }
}

TEST(Forward, is_llama_cpps_for_heads_wider_than_the_stream_and_an_output_of_its_own) {
  EXPECT_LT(distance_to_judge({.architecture = "qwen3", .heads = 6, .heads_kv = 3, .head_width = 32, .tied = false}), kFloatTolerance);
}

TEST(Forward, is_llama_cpps_with_the_frequency_factors_of_llama_3) {
  EXPECT_LT(distance_to_judge({.frequency_factors = true}), kFloatTolerance);
}

// The judge's context is 512 tokens: longer than the first context, it takes the long factors, whatever the text's length.
TEST(Forward, is_llama_cpps_with_the_factors_of_phi_3_for_long_contexts) {
  const TestModel model({.architecture = "phi3", .factors_by_length = true});
  const auto row = random_row(300, 256, 3);
  EXPECT_LT(relative_distance(own_logits(model.model(), row.tokens), Judge(model.file()).logits(row.tokens)), kFloatTolerance);
}

TEST(Forward, takes_the_short_factors_of_phi_3_within_its_first_context) {
  const TestModel model({.architecture = "phi3", .factors_by_length = true});
  EXPECT_NE(model.model().frequency_factors(256)[0], model.model().frequency_factors(257)[0]);
}

TEST(Forward, is_llama_cpps_over_several_blocks_of_queries) {
  EXPECT_LT(distance_to_judge({.layers = 1, .heads = 4, .heads_kv = 1}, 300), kFloatTolerance);
}

// llama.cpp multiplies quantized weights with activations that it rounds too; with the same weights widened to 32 bits it does not. So our
// reading of each type is judged there.
TEST(Forward, reads_every_tensor_type_as_llama_cpp_does) {
  for (const auto type : {TensorType::f16, TensorType::bf16, TensorType::q8_0, TensorType::q4_0, TensorType::q4_1, TensorType::q5_0,
                          TensorType::q5_1, TensorType::q2_k, TensorType::q3_k, TensorType::q4_k, TensorType::q5_k, TensorType::q6_k,
                          TensorType::iq4_nl, TensorType::iq4_xs, TensorType::mxfp4}) {
    RandomModel random{.type = type, .width = 256, .heads = 8, .heads_kv = 4, .head_width = 32, .inner = 256, .vocabulary = 128};
    const TestModel narrow(random);
    random.widened = true;
    const TestModel wide(random);
    const auto row = random_row(20, random.vocabulary, 5);
    Judge judge(wide.file());
    EXPECT_LT(relative_distance(own_logits(narrow.model(), row.tokens), judge.logits(row.tokens)), kFloatTolerance)
        << gguf::traits(type).name;
  }
}

TEST(Forward, is_near_llama_cpps_over_quantized_weights) {
  const RandomModel blocks{.width = 256, .heads = 8, .heads_kv = 4, .head_width = 32, .inner = 256, .vocabulary = 128};
  for (const auto& [type, tolerance] :
       {std::pair(TensorType::f16, 2e-3), std::pair(TensorType::q8_0, 2e-2), std::pair(TensorType::q4_k, 4e-2)}) {
    RandomModel random = blocks;
    random.type = type;
    EXPECT_LT(distance_to_judge(random, 20), tolerance) << gguf::traits(type).name;
  }
}

TEST(Forward, predicts_with_the_real_model_as_llama_cpp_does) {
  const auto file = real_model();
  if (!file) GTEST_SKIP() << "the test models are not here: ./dev setup fetches them";
  const auto model = Model::open(std::span(&*file, 1)).value();
  const auto row = random_row(32, model.shape().vocabulary, 9);
  Judge judge(*file);
  const auto theirs = judge.logits(row.tokens);
  const auto ours = own_logits(model, row.tokens);
  EXPECT_LT(relative_distance(ours, theirs), 2e-2);
}

TEST(Forward, does_not_depend_on_the_number_of_threads) {
  const TestModel model({.type = TensorType::q8_0});
  const auto row = random_row(100, 256, 4);
  EXPECT_EQ(own_logits(model.model(), row.tokens, nullptr, 1), own_logits(model.model(), row.tokens, nullptr, 3));
}

TEST(Forward, sees_nothing_of_its_neighbours_in_a_batch) {
  const TestModel model;
  const std::vector rows = {random_row(30, 256, 1), random_row(80, 256, 2), random_row(1, 256, 3)};
  Team team(2);
  Pass pass(model.model(), team, nullptr, {.most_tokens = 111, .longest = 80});
  std::vector<float> apart;
  for (const auto& row : rows) {
    const auto scores = pass.score(lay_out(std::span(&row, 1)), nullptr).value();
    apart.insert(apart.end(), scores.begin(), scores.end());
  }
  EXPECT_LT(relative_distance(pass.score(lay_out(rows), nullptr).value(), apart), 1e-6);
}

}  // namespace
}  // namespace puna::tune
