#include "adapter/peft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapter/head_order.h"
#include "adapter/peft_config.h"
#include "os/file.h"
#include "safetensors/file.h"
#include "safetensors/writer.h"
#include "tune/tune_testing.h"

namespace puna::adapter {
namespace {

using testing::HasSubstr;
using tune::TestModel;

constexpr std::array kKnown = {"llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3"};  // by tests/data/peft

std::filesystem::path folder_of(const std::string& architecture) {
  return std::filesystem::path(PUNA_TEST_DATA) / "peft" / architecture;
}

// What PyTorch computed with the adapter of that folder.
class Expected {
 public:
  explicit Expected(const std::string& architecture)
      : file_(safetensors::File::open(folder_of(architecture) / "expected.safetensors").value()) {}
  [[nodiscard]] std::vector<float> numbers(std::string_view name) const {
    const auto found = std::ranges::find(file_.header().tensors(), name, &safetensors::Tensor::name);
    return found == file_.header().tensors().end() ? std::vector<float>() : file_.floats(*found).value();
  }
  [[nodiscard]] std::vector<std::int32_t> tokens() const {
    const auto numbers = this->numbers("tokens");
    return {numbers.begin(), numbers.end()};
  }

 private:
  safetensors::File file_;
};

TEST(Peft, adapters_compute_here_what_they_compute_in_transformers) {
  for (const std::string architecture : kKnown) {
    const TestModel model({.architecture = architecture});
    const auto adapter = read_peft(folder_of(architecture), model.model()).value();
    const Expected expected(architecture);
    const auto ours = tune::own_logits(model.model(), expected.tokens(), &adapter);
    EXPECT_LT(tune::relative_distance(ours, expected.numbers("logits")), 1e-5) << architecture;
    EXPECT_GT(tune::relative_distance(tune::own_logits(model.model(), expected.tokens()), ours), 1e-2) << "the adapter says nothing";
  }
}

TEST(Gradients, are_pytorchs) {
  for (const std::string architecture : kKnown) {
    const TestModel model({.architecture = architecture});
    auto adapter = read_peft(folder_of(architecture), model.model()).value();
    const Expected expected(architecture);
    const tune::TokenRow row{expected.tokens(), std::vector<float>(expected.tokens().size(), 1)};
    const auto batch = tune::lay_out(std::span(&row, 1));
    tune::Team team(2);
    tune::Pass pass(model.model(), team, &adapter, {.most_tokens = batch.tokens.size(), .longest = batch.longest()});
    ASSERT_TRUE(pass.train(batch, adapter, 0));
    const auto all = adapter.gradients().span();
    for (const auto& pair : adapter.pairs()) {
      const auto name = "gradient.base_model.model." + peft_module(pair);
      const auto b = reordered(model.model().shape(), pair, all.subspan(pair.b, pair.b_size()), RowOrder::transformers);
      EXPECT_LT(tune::relative_distance(all.subspan(pair.a, pair.a_size()), expected.numbers(name + ".lora_A.weight")), 2e-5) << name;
      EXPECT_LT(tune::relative_distance(b, expected.numbers(name + ".lora_B.weight")), 2e-5) << name;
    }
  }
}

TEST(Peft, adapters_are_written_as_peft_writes_them) {
  for (const std::string architecture : kKnown) {
    const TestModel model({.architecture = architecture});
    const auto adapter = read_peft(folder_of(architecture), model.model()).value();
    ASSERT_TRUE(write_peft(model.folder(), model.model(), adapter, ""));
    const auto ours = safetensors::File::open(model.folder() / kPeftWeights).value();
    const auto theirs = safetensors::File::open(folder_of(architecture) / kPeftWeights).value();
    ASSERT_EQ(ours.header().tensors().size(), theirs.header().tensors().size());
    for (const auto& tensor : theirs.header().tensors()) {
      const auto same = std::ranges::find(ours.header().tensors(), tensor.name, &safetensors::Tensor::name);
      ASSERT_NE(same, ours.header().tensors().end()) << tensor.name;
      EXPECT_EQ(same->shape, tensor.shape) << tensor.name;
      EXPECT_EQ(ours.floats(*same).value(), theirs.floats(tensor).value()) << tensor.name;
    }
  }
}

TEST(Peft, adapters_come_back_as_they_went) {
  const TestModel model;
  const auto adapter = tune::stirred_adapter(
      model.model(), {.rank = 4, .rank_stabilized = true, .targets = {"attn_q", "blk.1.ffn_up"}, .ranks = {{"attn_q", 8}}});
  ASSERT_TRUE(write_peft(model.folder(), model.model(), adapter, "owner/base"));
  const auto back = read_peft(model.folder(), model.model()).value();
  ASSERT_EQ(back.pairs().size(), adapter.pairs().size());
  for (std::size_t i = 0; i < back.pairs().size(); ++i) EXPECT_FLOAT_EQ(back.pairs()[i].scale, adapter.pairs()[i].scale);
  EXPECT_TRUE(std::ranges::equal(back.parameters().span(), adapter.parameters().span()));
}

TEST(Peft, config_names_modules_shortly_where_all_layers_have_them) {
  const TestModel model;
  const auto adapter = tune::stirred_adapter(model.model(), {.rank = 4, .targets = {"attn_q", "blk.1.ffn_up"}});
  const auto config = make_peft_config(adapter.pairs(), 2, "owner/base");
  EXPECT_EQ(json::to_text(config.at("target_modules")), R"(["model.layers.1.mlp.up_proj","q_proj"])");
  EXPECT_EQ(config.at("base_model_name_or_path"), "owner/base");
  EXPECT_EQ(json::to_text(config.at("rank_pattern")), "{}");
}

TEST(Peft, config_scales_by_alpha_over_the_rank_or_its_root_and_by_patterns) {
  const auto scale = [](std::string_view text, std::string_view module) {
    return PeftConfig::parse(text).value().scale(module, 4).value();
  };
  EXPECT_EQ(scale(R"({"peft_type":"LORA","lora_alpha":8})", "model.layers.0.self_attn.q_proj"), 2);
  EXPECT_EQ(scale(R"({"peft_type":"LORA","lora_alpha":8,"use_rslora":true})", "model.layers.0.self_attn.q_proj"), 4);
  const auto* patterns =
      R"({"peft_type":"LORA","lora_alpha":8,"alpha_pattern":{"layers\\.1\\.self_attn.q_proj":2,"^model.layers.0.mlp.up_proj":4}})";
  EXPECT_EQ(scale(patterns, "model.layers.0.self_attn.q_proj"), 2);
  EXPECT_EQ(scale(patterns, "model.layers.1.self_attn.q_proj"), 0.5F);
  EXPECT_EQ(scale(patterns, "model.layers.11.self_attn.q_proj"), 2);
  EXPECT_EQ(scale(patterns, "model.layers.0.mlp.up_proj"), 1);
}

// A folder whose config or weights are not what this build can take.
std::string refusal(std::string_view config, std::string_view name = "layers.0.self_attn.q_proj.lora_A.weight",
                    std::vector<std::uint64_t> shape = {4, 64}) {
  const TestModel model;
  std::size_t count = 1;
  for (const auto dimension : shape) count *= dimension;
  const std::vector<float> numbers(count);
  safetensors::Writer writer;
  writer.add(std::string(name), std::move(shape), numbers).value();
  writer.write(model.folder() / kPeftWeights).value();
  os::write_file_atomic(model.folder() / kPeftConfig, config).value();
  const auto read = read_peft(model.folder(), model.model());
  return read ? "nothing" : read.error().message;
}

TEST(Peft, adapters_that_cannot_be_taken_are_refused_with_the_reason) {
  const std::string_view plain = R"({"peft_type":"LORA","lora_alpha":8})";
  EXPECT_THAT(refusal(plain), HasSubstr("'blk.0.attn_q.weight' one half is missing"));
  EXPECT_THAT(refusal(R"({"peft_type":"IA3"})"), HasSubstr("kind 'IA3'"));
  EXPECT_THAT(refusal(R"({"peft_type":"LORA","lora_alpha":8,"use_dora":true})"), HasSubstr("DoRA"));
  EXPECT_THAT(refusal(R"({"peft_type":"LORA"})"), HasSubstr("lora_alpha"));
  EXPECT_THAT(refusal(R"({"peft_type":"LORA","lora_alpha":8,"alpha_pattern":{".*q_proj":1}})"), HasSubstr("regular expression"));
  EXPECT_THAT(refusal(plain, "base_model.model.lm_head.lora_A.weight"), HasSubstr("'base_model.model.lm_head.lora_A.weight' is no LoRA"));
  EXPECT_THAT(refusal(plain, "layers.0.self_attn.q_proj.lora_magnitude_vector.weight"), HasSubstr("is no LoRA"));
  EXPECT_THAT(refusal(plain, "layers.7.self_attn.q_proj.lora_A.weight"), HasSubstr("layer 7; the model has 2"));
  EXPECT_THAT(refusal("{"), HasSubstr("line 1"));
}

TEST(Peft, adapters_of_another_model_are_refused) {
  const TestModel other({.inner = 128});
  EXPECT_THAT(read_peft(folder_of("llama"), other.model()).error().message, HasSubstr("does not fit this model"));
}

}  // namespace
}  // namespace puna::adapter
