#include "tune/adapter_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/atomic_file.h"
#include "os/file.h"
#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

using testing::HasSubstr;

// Logits with the adapter by us, and by llama.cpp from the two files.
double distance_to_judge(const tiny_model::RandomModel& random, const LoraOptions& options) {
  const TestModel model(random);
  const auto adapter = stirred_adapter(model.model(), options);
  const auto file = model.folder() / "adapter.gguf";
  EXPECT_TRUE(write_adapter(file, model.model(), adapter));
  const auto row = random_row(70, random.vocabulary, 3);
  Judge judge(model.file(), file);
  const auto ours = own_logits(model.model(), row.tokens, &adapter);
  EXPECT_GT(relative_distance(own_logits(model.model(), row.tokens), ours), 1e-2) << "the adapter says nothing";
  return relative_distance(ours, judge.logits(row.tokens));
}

TEST(AdapterFile, does_in_llama_cpp_what_the_adapter_does_here) {
  for (const auto* architecture : architectures())
    EXPECT_LT(distance_to_judge({.architecture = std::string(architecture->name)}, {.rank = 8}),
              architecture->activation == Activation::gelu ? 2e-3 : 2e-5)  // see forward_test.cpp
        << architecture->name;
}

TEST(AdapterFile, keeps_scales_that_llama_cpp_has_no_word_for) {
  EXPECT_LT(distance_to_judge({}, {.rank = 4, .rank_stabilized = true, .ranks = {{"attn_q", 16}, {"blk.1.ffn_down", 2}}}), 2e-5);
}

TEST(AdapterFile, comes_back_as_it_went) {
  const TestModel model;
  const auto adapter = stirred_adapter(model.model(), {.rank = 5, .targets = {"attn_q", "ffn_up"}});
  const auto file = model.folder() / "adapter.gguf";
  ASSERT_TRUE(write_adapter(file, model.model(), adapter));
  const auto back = read_adapter(file, model.model()).value();
  EXPECT_TRUE(std::ranges::equal(back.parameters().span(), adapter.parameters().span()));
  ASSERT_EQ(back.pairs().size(), adapter.pairs().size());
  EXPECT_EQ(back.pairs()[1].name, adapter.pairs()[1].name);
  EXPECT_EQ(back.pairs()[1].scale, adapter.pairs()[1].scale);
}

TEST(AdapterFile, of_another_model_is_refused) {
  const TestModel model;
  const auto file = model.folder() / "adapter.gguf";
  ASSERT_TRUE(write_adapter(file, model.model(), stirred_adapter(model.model(), {.rank = 4})));
  EXPECT_THAT(read_adapter(file, TestModel({.architecture = "qwen2"}).model()).error().message, HasSubstr("architecture 'llama'"));
  EXPECT_THAT(read_adapter(file, TestModel({.inner = 128}).model()).error().message, HasSubstr("does not fit this model"));
  EXPECT_THAT(read_adapter(file, TestModel({.layers = 1}).model()).error().message, HasSubstr("blk.1."));
  EXPECT_THAT(read_adapter(model.file(), model.model()).error().message, HasSubstr("not a LoRA adapter"));
}

TEST(AdapterFile, that_is_not_whole_is_refused) {
  const TestModel model;
  const auto file = model.folder() / "adapter.gguf";
  ASSERT_TRUE(write_adapter(file, model.model(), stirred_adapter(model.model(), {.rank = 4})));
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 64);
  EXPECT_FALSE(read_adapter(file, model.model()));
}

}  // namespace
}  // namespace puna::tune
