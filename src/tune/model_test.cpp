#include "tune/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "gguf/writer.h"
#include "os/file.h"
#include "os/mapped_file.h"
#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

using testing::HasSubstr;

// The tiny model again, with changes.
struct Changes {
  std::function<void(gguf::Writer&)> metadata = [](gguf::Writer&) {};
  std::string without;                                     // this tensor
  std::map<std::string, std::vector<std::uint64_t>> with;  // F32 tensors of zeros, new or in place of others
};

std::string refusal(const Changes& changes, const tiny_model::RandomModel& random = {}) {
  const TestModel model(random);
  const auto file = model.folder() / "changed.gguf";
  const auto mapping = os::MappedFile::open(model.file()).value();
  const gguf::Header& header = model.model().header();
  gguf::Writer writer;
  for (const auto& [key, value] : header.metadata()) writer.set(key, value);
  changes.metadata(writer);
  const std::vector<float> zeros(1 << 16);
  for (const auto& tensor : header.tensors()) {
    const auto bytes = mapping.bytes().subspan(header.data_offset() + tensor.offset, tensor.size.count);
    if (tensor.name != changes.without && !changes.with.contains(tensor.name))
      writer.add_tensor(tensor.name, tensor.type, tensor.shape, bytes).value();
  }
  for (const auto& [name, shape] : changes.with) {
    std::size_t count = 1;
    for (const auto dimension : shape) count *= dimension;
    writer.add_tensor(name, gguf::TensorType::f32, shape, std::as_bytes(std::span(zeros).first(count))).value();
  }
  writer.write(file).value();
  const auto opened = Model::open(std::span(&file, 1));
  return opened ? "nothing" : opened.error().message;
}

template <class T>
Changes set(std::string key, T value) {
  return {.metadata = [key = std::move(key), value](gguf::Writer& writer) { writer.set(key, value); }};
}

// ledger: F9
TEST(Model, that_this_build_cannot_train_is_refused_with_the_reason_and_what_can) {
  EXPECT_THAT(refusal(set("general.architecture", std::string("mamba"))),
              HasSubstr("'mamba' cannot be trained by this build; it trains llama, qwen2, qwen3, gemma, gemma2, gemma3, phi3"));
  EXPECT_THAT(refusal(set("llama.expert_count", 8U)), HasSubstr("experts"));
  EXPECT_THAT(refusal(set("llama.rope.scaling.type", std::string("yarn"))), HasSubstr("scaled by 'yarn'"));
  EXPECT_THAT(refusal(set("llama.rope.dimension_count", 8U)), HasSubstr("8 of 16 numbers in a head"));
  EXPECT_THAT(refusal(set("llama.attention.value_length", 8U)), HasSubstr("different width"));
}

TEST(Model, with_a_tensor_that_would_be_ignored_is_refused) {
  EXPECT_THAT(refusal({.with = {{"blk.0.attn_sinks.weight", {4}}}}), HasSubstr("'blk.0.attn_sinks.weight' has no part"));
  EXPECT_THAT(refusal({.with = {{"blk.2.attn_norm.weight", {64}}}}), HasSubstr("'blk.2.attn_norm.weight' has no part"));
}

TEST(Model, that_is_not_whole_is_refused) {
  EXPECT_THAT(refusal({.without = "blk.1.ffn_up.weight"}), HasSubstr("no tensor 'blk.1.ffn_up.weight'"));
  EXPECT_THAT(refusal({.without = "token_embd.weight"}), HasSubstr("no table of token embeddings"));
  EXPECT_THAT(refusal({.with = {{"blk.1.ffn_up.weight", {64, 95}}}}), HasSubstr("is not 64 x 96"));
  EXPECT_THAT(refusal({.with = {{"output_norm.weight", {32}}}}), HasSubstr("is not 64 x 1"));
  EXPECT_THAT(refusal(set("llama.attention.head_count_kv", 3U)), HasSubstr("4 heads cannot share 3 key heads"));
  EXPECT_THAT(refusal(set("llama.block_count", 0U)), HasSubstr("'llama.block_count' is not one number"));
  EXPECT_THAT(refusal(set("llama.attention.layer_norm_rms_epsilon", 0.0F)), HasSubstr("epsilon"));
}

TEST(Model, unchanged_is_taken) {
  EXPECT_EQ(refusal({}), "nothing");
  EXPECT_EQ(refusal(set("llama.rope.scaling.type", std::string("linear"))), "nothing");
}

TEST(Model, in_two_parts_is_one_model) {
  const TestModel whole;
  const auto mapping = os::MappedFile::open(whole.file()).value();
  const gguf::Header& header = whole.model().header();
  std::vector<gguf::Writer> writers(2);
  for (const auto& [key, value] : header.metadata()) writers[0].set(key, value);
  std::size_t index = 0;
  for (const auto& tensor : header.tensors())
    writers[index++ % 2]
        .add_tensor(tensor.name, tensor.type, tensor.shape,
                    mapping.bytes().subspan(header.data_offset() + tensor.offset, tensor.size.count))
        .value();
  const std::vector files = {whole.folder() / "1.gguf", whole.folder() / "2.gguf"};
  for (std::size_t part = 0; part < 2; ++part) writers[part].write(files[part]).value();
  const auto parts = Model::open(files).value();
  const auto row = random_row(10, 256, 1);
  EXPECT_EQ(own_logits(parts, row.tokens), own_logits(whole.model(), row.tokens));
}

}  // namespace
}  // namespace puna::tune
