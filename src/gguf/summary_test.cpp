#include "gguf/summary.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "gguf/raw_file.h"
#include "gguf/writer.h"
#include "os/temporary_folder.h"

namespace puna::gguf {
namespace {

class Model {
 public:
  explicit Model(std::string architecture) { set("general.architecture", std::move(architecture)); }
  Model& set(std::string key, Value value) {
    writer_.set(std::move(key), std::move(value));
    return *this;
  }
  Model& tensor(std::string name, TensorType type, std::vector<std::uint64_t> shape) {
    const auto size = tensor_size(type, shape).value_or(Bytes(0));
    writer_
        .add_tensor(std::move(name), type, std::move(shape),
                    [size](const Writer::Emit& emit) { return emit(std::vector<std::byte>(size.count)); })
        .value();
    return *this;
  }
  Summary summary() const {
    const auto folder = os::TemporaryFolder::create().value();
    writer_.write(folder.path() / "m").value();
    return summarize(Header::read_file(folder.path() / "m").value());
  }

 private:
  Writer writer_;
};

TEST(Summary, tells_what_people_ask_about_a_model) {
  const auto summary = Model("llama")
                           .set("general.name", std::string("Tiny Llama"))
                           .set("general.license", std::string("apache-2.0"))
                           .set("general.file_type", std::uint32_t{15})
                           .set("llama.context_length", std::uint32_t{2048})
                           .set("llama.embedding_length", std::uint32_t{256})
                           .set("llama.block_count", std::uint32_t{1})
                           .set("llama.attention.head_count", std::uint32_t{4})
                           .set("llama.attention.head_count_kv", std::vector<std::int32_t>{1, 2, 0})
                           .set("tokenizer.ggml.tokens", std::vector<std::string>(3, "t"))
                           .tensor("token_embd.weight", TensorType::q6_k, {256, 3})
                           .tensor("blk.0.attn_q.weight", TensorType::q4_k, {256, 256})
                           .summary();
  EXPECT_EQ(summary.architecture, "llama");
  EXPECT_EQ(summary.kind, "model");
  EXPECT_EQ(summary.name, "Tiny Llama");
  EXPECT_EQ(summary.licence, "apache-2.0");
  EXPECT_EQ(summary.parameters, 256u * 259);
  EXPECT_EQ(summary.quantization, "Q4_K_M");
  EXPECT_EQ(summary.context_length, 2048u);
  EXPECT_EQ(summary.embedding_length, 256u);
  EXPECT_EQ(summary.block_count, 1u);
  EXPECT_EQ(summary.head_count, 4u);
  EXPECT_EQ(summary.head_count_kv, 2u);
  EXPECT_EQ(summary.expert_count, std::nullopt);
  EXPECT_EQ(summary.vocabulary_size, 3u);
}

TEST(Summary, a_quantization_that_no_tensor_bears_out_is_not_believed) {
  const auto quantization = [](Value file_type) {
    return Model("llama")
        .set("general.file_type", std::move(file_type))
        .tensor("a", TensorType::q8_0, {64})
        .tensor("b", TensorType::f32, {8})
        .summary()
        .quantization;
  };
  EXPECT_EQ(quantization(std::uint32_t{7}), "Q8_0");
  EXPECT_EQ(quantization(std::uint32_t{15}), "Q8_0");
  EXPECT_EQ(quantization(std::uint32_t{1024}), "Q8_0");
  EXPECT_EQ(Model("llama").tensor("a", TensorType::mxfp4, {64}).summary().quantization, "MXFP4");
  EXPECT_EQ(Model("llama").summary().quantization, "");
}

Capabilities capabilities(std::string architecture, std::string chat_template, std::uint32_t pooling = 0) {
  Model model(architecture);
  if (!chat_template.empty()) model.set("tokenizer.chat_template", std::move(chat_template));
  if (pooling > 0) model.set(architecture + ".pooling_type", pooling);
  return model.summary().capabilities;
}

TEST(Summary, capabilities_follow_template_architecture_and_pooling) {
  EXPECT_TRUE(capabilities("llama", "{{ messages }}").chat);
  EXPECT_FALSE(capabilities("llama", "").chat);
  EXPECT_FALSE(capabilities("llama", "{{ messages }}").embedding);
  EXPECT_TRUE(capabilities("bert", "").embedding);
  EXPECT_FALSE(capabilities("bert", "{{ messages }}").chat);
  const auto embedder_with_template = capabilities("qwen3", "{{ messages }}", 3);
  EXPECT_TRUE(embedder_with_template.embedding);
  EXPECT_FALSE(embedder_with_template.chat);
  EXPECT_FALSE(capabilities("qwen3", "", 4).embedding) << "a reranker";
}

TEST(Summary, tools_and_thinking_are_read_off_the_template) {
  const auto plain = capabilities("qwen3", "{{ messages }}");
  EXPECT_FALSE(plain.tools);
  EXPECT_FALSE(plain.thinking);
  EXPECT_TRUE(capabilities("qwen3", "{%- if tools %}{{ tools }}{% endif %}").tools);
  EXPECT_TRUE(capabilities("qwen3", "{%- if enable_thinking is defined %}<think>{% endif %}").thinking);
  EXPECT_TRUE(Model("x")
                  .set("tokenizer.chat_template", std::string("{{ m }}"))
                  .set("tokenizer.chat_template.tool_use", std::string("{{ tools }}"))
                  .summary()
                  .capabilities.tools);
}

TEST(Summary, adapters_and_projectors_do_nothing_by_themselves) {
  EXPECT_EQ(Model("llama").set("general.type", std::string("adapter")).summary().kind, "adapter");
  const auto projector = Model("clip").set("tokenizer.chat_template", std::string("x")).summary();
  EXPECT_EQ(projector.kind, "mmproj");
  EXPECT_FALSE(projector.capabilities.chat);
}

TEST(Summary, foreign_text_is_safe_to_print_and_to_send) {
  const auto summary =
      Model("llama").set("general.name", std::string("  evil \x1b[2J\xff name ")).set("general.license", std::string(" ")).summary();
  EXPECT_EQ(summary.name, "evil \uFFFD[2J\uFFFD name");
  EXPECT_EQ(summary.licence, std::nullopt);
  EXPECT_EQ(json::encode(summary).at("name").as_string(), "evil \uFFFD[2J\uFFFD name");
}

}  // namespace
}  // namespace puna::gguf
