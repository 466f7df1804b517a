// Proves that llama.cpp loads the tiny models and computes with them.
#include "models/tiny_model.h"

#include <gtest/gtest.h>
#include <llama.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gguf/check.h"
#include "gguf/summary.h"
#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::tiny_model {
namespace {

struct Free {
  void operator()(llama_model* model) const { llama_model_free(model); }
  void operator()(llama_context* context) const { llama_free(context); }
  void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
};

// A model of one kind, opened by llama.cpp.
class Loaded {
 public:
  explicit Loaded(Kind kind) : file_(folder_.path() / "tiny.gguf") {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    write(file_, kind).value();
    model_.reset(llama_model_load_from_file(file_.c_str(), llama_model_default_params()));
    if (!model_) return;
    auto parameters = llama_context_default_params();
    parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 512;
    parameters.n_threads = parameters.n_threads_batch = 1;
    parameters.embeddings = kind == Kind::embedding;
    context_.reset(llama_init_from_model(model_.get(), parameters));
  }
  bool ready() const { return context_ != nullptr; }
  const std::filesystem::path& file() const { return file_; }

  std::vector<llama_token> tokens(std::string_view text) const {
    std::vector<llama_token> out(text.size() + 8);
    const int count = llama_tokenize(llama_model_get_vocab(model_.get()), text.data(), static_cast<int>(text.size()), out.data(),
                                     static_cast<int>(out.size()), true, true);
    out.resize(static_cast<std::size_t>(std::max(count, 0)));
    return out;
  }

  struct Text {
    std::string text;
    bool ended = false;
  };
  Text generate(std::string_view prompt, int limit) {
    const auto* vocabulary = llama_model_get_vocab(model_.get());
    const std::unique_ptr<llama_sampler, Free> sampler(llama_sampler_init_greedy());
    auto batch_tokens = tokens(prompt);
    Text out;
    for (int i = 0; i < limit && !out.ended; ++i) {
      if (llama_decode(context_.get(), llama_batch_get_one(batch_tokens.data(), static_cast<int>(batch_tokens.size()))) != 0) break;
      const llama_token next = llama_sampler_sample(sampler.get(), context_.get(), -1);
      char piece[64];
      out.text.append(piece, static_cast<std::size_t>(llama_token_to_piece(vocabulary, next, piece, sizeof(piece), 0, false)));
      out.ended = llama_vocab_is_eog(vocabulary, next);
      batch_tokens = {next};
    }
    return out;
  }

  std::vector<float> embed(std::string_view text) {
    auto batch_tokens = tokens(text);
    llama_memory_clear(llama_get_memory(context_.get()), true);
    if (llama_encode(context_.get(), llama_batch_get_one(batch_tokens.data(), static_cast<int>(batch_tokens.size()))) != 0) return {};
    const float* vector = llama_get_embeddings_seq(context_.get(), 0);
    return vector == nullptr ? std::vector<float>() : std::vector<float>(vector, vector + kEmbeddingLength);
  }

 private:
  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path file_;
  std::unique_ptr<llama_model, Free> model_;
  std::unique_ptr<llama_context, Free> context_;
};

constexpr std::string_view kPrompt = "<s><|im_start|>user\nHow are you?<|im_end|>\n<|im_start|>assistant\n";

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) dot += double(a[i]) * b[i], aa += double(a[i]) * a[i], bb += double(b[i]) * b[i];
  return dot / std::sqrt(aa * bb);
}

TEST(TinyModel, answers_in_llama_cpp_and_ends) {
  Loaded model(Kind::chat);
  ASSERT_TRUE(model.ready());
  const auto answer = model.generate(kPrompt, 100);
  EXPECT_EQ(answer.text, kAnswer);
  EXPECT_TRUE(answer.ended);
}

TEST(TinyModel, has_control_tokens_and_reads_any_bytes) {
  const Loaded model(Kind::chat);
  ASSERT_TRUE(model.ready());
  EXPECT_EQ(model.tokens("<|im_start|><|im_end|>").size(), 3u);  // and the one that begins every text
  EXPECT_EQ(model.tokens("\xC3\xBC\xF0\x9F\xA6\x99").size(), 7u);
}

TEST(TinyModel, goes_on_without_end_when_asked_to) {
  Loaded model(Kind::endless);
  ASSERT_TRUE(model.ready());
  const auto answer = model.generate(kPrompt, 300);
  EXPECT_FALSE(answer.ended);
  EXPECT_TRUE(answer.text.starts_with(std::string(kAnswer) + std::string(kAnswer))) << answer.text;
}

TEST(TinyModel, embeds_like_texts_alike) {
  Loaded model(Kind::embedding);
  ASSERT_TRUE(model.ready());
  const auto llama = model.embed("a llama on the plain");
  ASSERT_EQ(llama.size(), kEmbeddingLength);
  EXPECT_NEAR(cosine(llama, model.embed("A LLAMA on the plain")), 1.0, 1e-5);
  EXPECT_GT(cosine(llama, model.embed("two llamas on the plain")), cosine(llama, model.embed("3.14159 & 2.71828!")));
}

TEST(TinyModel, is_a_valid_file_of_the_kind_it_claims) {
  for (const auto kind : {Kind::chat, Kind::endless, Kind::embedding}) {
    const Loaded model(kind);
    const auto header = gguf::Header::read_file(model.file()).value();
    EXPECT_TRUE(gguf::check(header));
    const auto summary = gguf::summarize(header);
    EXPECT_EQ(summary.capabilities.chat, kind != Kind::embedding);
    EXPECT_EQ(summary.capabilities.embedding, kind == Kind::embedding);
    EXPECT_EQ(summary.embedding_length, kEmbeddingLength);
  }
}

TEST(TinyModel, is_the_same_for_the_same_seed) {
  const auto folder = os::TemporaryFolder::create().value();
  ASSERT_TRUE(write(folder.path() / "a", Kind::chat));
  ASSERT_TRUE(write(folder.path() / "b", Kind::chat));
  ASSERT_TRUE(write(folder.path() / "c", Kind::chat, 2));
  const auto bytes = [&](const char* name) { return os::read_file(folder.path() / name, mib(4)).value(); };
  EXPECT_EQ(bytes("a"), bytes("b"));
  EXPECT_NE(bytes("a"), bytes("c"));
}

}  // namespace
}  // namespace puna::tiny_model
