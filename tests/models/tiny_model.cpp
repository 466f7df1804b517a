#include "models/tiny_model.h"

#include <fmt/format.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "gguf/writer.h"

namespace puna::tiny_model {
namespace {

constexpr std::size_t kWidth = kEmbeddingLength;
constexpr std::size_t kHeads = 4;
constexpr std::size_t kHeadsKv = 2;
constexpr std::size_t kHeadWidth = kWidth / kHeads;
constexpr std::size_t kInner = 128;
constexpr std::size_t kLayers = 2;

constexpr std::string_view kSpace = "\u2581";  // how both tokenizers write a space
constexpr std::string_view kTemplate =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

// Tools as models of the Hermes and Qwen families are told of them and call them.
constexpr std::string_view kToolsTemplate =
    "{% if tools %}{{ '<|im_start|>system\\n<tools>' }}{% for tool in tools %}{{ '\\n' + (tool | tojson) }}{% endfor %}"
    "{{ '\\n</tools><|im_end|>\\n' }}{% endif %}"
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}{% if message['content'] %}{{ message['content'] }}{% "
    "endif %}"
    "{% for call in message['tool_calls'] or [] %}{{ '\\n<tool_call>\\n{\"name\": \"' + call['function']['name'] + '\", \"arguments\": ' + "
    "(call['function']['arguments'] | tojson) + '}\\n</tool_call>' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

using Row = std::vector<float>;

// std::mt19937_64 is the same everywhere; the standard distributions are not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_(seed) {}
  float between(float low, float high) { return low + (high - low) * static_cast<float>(bits_() >> 40) / static_cast<float>(1 << 24); }
  Row row(std::size_t size, float scale) {
    Row out(size);
    for (auto& value : out) value = between(-scale, scale);
    return out;
  }
  Row direction(std::size_t size) {
    Row out = row(size, 1);
    double square = 0;
    for (const float value : out) square += double(value) * value;
    for (auto& value : out) value /= static_cast<float>(std::sqrt(square));
    return out;
  }

 private:
  std::mt19937_64 bits_;
};

enum class TokenType : std::int32_t { normal = 1, unknown = 2, control = 3, byte = 6 };  // GGUF's numbers

struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;

  std::uint32_t add(std::string token, TokenType type) {
    tokens.push_back(std::move(token));
    types.push_back(static_cast<std::int32_t>(type));
    return static_cast<std::uint32_t>(tokens.size() - 1);
  }
};

// Keeps the numbers that a writer points to.
class ModelFile {
 public:
  explicit ModelFile(std::string architecture) : architecture_(std::move(architecture)) {
    writer_.set("general.architecture", architecture_);
    writer_.set("general.type", std::string("model"));
    writer_.set("general.file_type", std::uint32_t{0});
    writer_.set("general.license", std::string("apache-2.0"));
    figure("block_count", kLayers);
    figure("embedding_length", kWidth);
    figure("feed_forward_length", kInner);
    figure("attention.head_count", kHeads);
  }
  void set(std::string key, gguf::Value value) { writer_.set(std::move(key), std::move(value)); }
  void figure(std::string_view key, std::size_t value) {
    writer_.set(fmt::format("{}.{}", architecture_, key), static_cast<std::uint32_t>(value));
  }
  void number(std::string_view key, float value) { writer_.set(fmt::format("{}.{}", architecture_, key), value); }
  void vocabulary(std::string model, const Vocabulary& vocabulary) {
    writer_.set("tokenizer.ggml.model", std::move(model));
    writer_.set("tokenizer.ggml.tokens", vocabulary.tokens);
    writer_.set("tokenizer.ggml.token_type", vocabulary.types);
    writer_.set("tokenizer.ggml.scores", std::vector<float>(vocabulary.tokens.size(), 0.0F));
  }
  Result<> tensor(std::string name, std::vector<std::uint64_t> shape, Row values) {
    return writer_.add_tensor(
        std::move(name), gguf::TensorType::f32, std::move(shape),
        [values = std::move(values)](const gguf::Writer::Emit& emit) { return emit(std::as_bytes(std::span(values))); });
  }
  Result<> matrix(std::string name, std::size_t columns, std::size_t rows, Random& random, float scale) {
    return tensor(std::move(name), {columns, rows}, random.row(columns * rows, scale));
  }
  Result<> norm(std::string name) { return tensor(std::move(name), {kWidth}, Row(kWidth, 1)); }
  Result<> bias(std::string name, std::size_t size = kWidth) { return tensor(std::move(name), {size}, Row(size, 0)); }
  Result<> write(const std::filesystem::path& path) const { return writer_.write(path); }

 private:
  std::string architecture_;
  gguf::Writer writer_;
};

struct ChatVocabulary : Vocabulary {
  std::uint32_t unknown = add("<unk>", TokenType::unknown);
  std::uint32_t begin = add("<s>", TokenType::control);
  std::uint32_t newline = 0;
  std::uint32_t end = 0;  // <|im_end|>
  std::uint32_t first_word = 0;
  std::size_t words = 0;

  explicit ChatVocabulary(std::string_view recitation) {
    add("</s>", TokenType::control);
    for (int byte = 0; byte < 256; ++byte) {
      const auto id = add(fmt::format("<0x{:02X}>", byte), TokenType::byte);
      if (byte == '\n') newline = id;
    }
    add("<|im_start|>", TokenType::control);
    end = add("<|im_end|>", TokenType::control);
    add(std::string(kSpace), TokenType::normal);
    for (const auto word : split(recitation, ' ')) {
      const auto id = add(words == 0 ? std::string(word) : std::string(kSpace) + std::string(word), TokenType::normal);
      if (words++ == 0) first_word = id;
    }
  }
};

// Each token has a direction of its own, and the output row of each word points along the direction of the token before it, so that the
// model recites. The first column is the same for all tokens and lets other outputs be pushed down; the layers add a little noise that
// depends on the context.
Result<> add_recitation(ModelFile& file, const ChatVocabulary& vocabulary, Kind kind, Random& random) {
  constexpr float kAfterNorm = 5.657F;  // what RMS normalisation multiplies by: sqrt(64 / 2)
  constexpr float kFollows = 3.5F / kAfterNorm;
  constexpr float kNever = -8.0F / kAfterNorm;
  const std::size_t count = vocabulary.tokens.size();
  Row embedding;
  Row output(count * kWidth, 0);
  for (std::size_t token = 0; token < count; ++token) {
    embedding.push_back(1);
    for (const float value : random.direction(kWidth - 1)) embedding.push_back(value);
  }
  const auto follow = [&](std::size_t token, std::size_t previous, float weight) {
    for (std::size_t i = 1; i < kWidth; ++i) output[token * kWidth + i] += weight * embedding[previous * kWidth + i];
  };
  const std::size_t last_word = vocabulary.first_word + vocabulary.words - 1;
  for (std::size_t token = 0; token < count; ++token) {
    if (token < vocabulary.first_word)
      output[token * kWidth] = kNever;
    else
      follow(token, token == vocabulary.first_word ? vocabulary.newline : token - 1, kFollows);
  }
  if (kind == Kind::endless)
    follow(vocabulary.first_word, last_word, kFollows);
  else
    follow(vocabulary.end, last_word, kFollows - kNever);
  PUNA_CHECK(file.tensor("token_embd.weight", {kWidth, count}, std::move(embedding)));
  return file.tensor("output.weight", {kWidth, count}, std::move(output));
}

Result<> write_chat(const std::filesystem::path& path, Kind kind, std::uint64_t seed) {
  ModelFile file("llama");
  Random random(seed);
  const ChatVocabulary vocabulary(kind == Kind::tools ? kToolCall : kAnswer);
  file.set("general.name", std::string(kind == Kind::endless ? "Puna tiny endless" : "Puna tiny chat"));
  file.figure("context_length", kContextLength);
  file.figure("vocab_size", vocabulary.tokens.size());
  file.figure("attention.head_count_kv", kHeadsKv);
  file.figure("rope.dimension_count", kHeadWidth);
  file.number("attention.layer_norm_rms_epsilon", 1e-5F);
  file.vocabulary("llama", vocabulary);
  file.set("tokenizer.ggml.unknown_token_id", vocabulary.unknown);
  file.set("tokenizer.ggml.bos_token_id", vocabulary.begin);
  file.set("tokenizer.ggml.eos_token_id", vocabulary.end);
  file.set("tokenizer.ggml.add_bos_token", true);
  file.set("tokenizer.ggml.add_space_prefix", false);
  file.set("tokenizer.chat_template", std::string(kind == Kind::tools ? kToolsTemplate : kTemplate));

  PUNA_CHECK(add_recitation(file, vocabulary, kind, random));
  PUNA_CHECK(file.norm("output_norm.weight"));
  for (std::size_t layer = 0; layer < kLayers; ++layer) {
    const std::string block = fmt::format("blk.{}.", layer);
    PUNA_CHECK(file.norm(block + "attn_norm.weight"));
    PUNA_CHECK(file.matrix(block + "attn_q.weight", kWidth, kWidth, random, 0.1F));
    PUNA_CHECK(file.matrix(block + "attn_k.weight", kWidth, kHeadsKv * kHeadWidth, random, 0.1F));
    PUNA_CHECK(file.matrix(block + "attn_v.weight", kWidth, kHeadsKv * kHeadWidth, random, 0.1F));
    PUNA_CHECK(file.matrix(block + "attn_output.weight", kWidth, kWidth, random, 0.005F));
    PUNA_CHECK(file.norm(block + "ffn_norm.weight"));
    PUNA_CHECK(file.matrix(block + "ffn_gate.weight", kWidth, kInner, random, 0.1F));
    PUNA_CHECK(file.matrix(block + "ffn_up.weight", kWidth, kInner, random, 0.1F));
    PUNA_CHECK(file.matrix(block + "ffn_down.weight", kInner, kWidth, random, 0.01F));
  }
  return file.write(path);
}

// Letter by letter: every ASCII text has tokens of its own.
Result<> write_encoder(const std::filesystem::path& path, Kind kind, std::uint64_t seed) {
  constexpr std::uint32_t kMeanPooling = 1;
  constexpr std::uint32_t kRankPooling = 4;
  const bool ranks = kind == Kind::reranker;
  ModelFile file("bert");
  Random random(seed);
  Vocabulary vocabulary;
  file.set("tokenizer.ggml.padding_token_id", vocabulary.add("[PAD]", TokenType::control));
  file.set("tokenizer.ggml.unknown_token_id", vocabulary.add("[UNK]", TokenType::unknown));
  file.set("tokenizer.ggml.bos_token_id", vocabulary.add("[CLS]", TokenType::control));
  file.set("tokenizer.ggml.seperator_token_id", vocabulary.add("[SEP]", TokenType::control));  // the format's own spelling
  file.set("tokenizer.ggml.mask_token_id", vocabulary.add("[MASK]", TokenType::control));
  vocabulary.add(std::string(kSpace), TokenType::normal);
  for (char letter = '!'; letter <= '~'; ++letter)
    if (letter < 'A' || letter > 'Z') vocabulary.add(std::string(1, letter), TokenType::normal);  // the tokenizer lowers case
  file.vocabulary("bert", vocabulary);
  file.set("tokenizer.ggml.token_type_count", std::uint32_t{2});
  file.set("general.name", std::string(ranks ? "Puna tiny reranker" : "Puna tiny embedding"));
  file.set("bert.attention.causal", false);
  file.figure("context_length", kEmbeddingContextLength);
  file.figure("pooling_type", ranks ? kRankPooling : kMeanPooling);
  file.number("attention.layer_norm_epsilon", 1e-12F);

  PUNA_CHECK(file.matrix("token_embd.weight", kWidth, vocabulary.tokens.size(), random, 1));
  PUNA_CHECK(file.matrix("token_types.weight", kWidth, 2, random, 0.1F));
  PUNA_CHECK(file.matrix("position_embd.weight", kWidth, kEmbeddingContextLength, random, 0.2F));
  PUNA_CHECK(file.norm("token_embd_norm.weight"));
  PUNA_CHECK(file.bias("token_embd_norm.bias"));
  if (ranks) {
    PUNA_CHECK(file.matrix("cls.weight", kWidth, kWidth, random, 0.2F));
    PUNA_CHECK(file.bias("cls.bias"));
    PUNA_CHECK(file.matrix("cls.output.weight", kWidth, 1, random, 1));
    PUNA_CHECK(file.bias("cls.output.bias", 1));
  }
  for (std::size_t layer = 0; layer < kLayers; ++layer) {
    const std::string block = fmt::format("blk.{}.", layer);
    for (const auto name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
      PUNA_CHECK(file.matrix(fmt::format("{}{}.weight", block, name), kWidth, kWidth, random, 0.1F));
      PUNA_CHECK(file.bias(fmt::format("{}{}.bias", block, name)));
    }
    PUNA_CHECK(file.matrix(block + "ffn_up.weight", kWidth, kInner, random, 0.1F));
    PUNA_CHECK(file.bias(block + "ffn_up.bias", kInner));
    PUNA_CHECK(file.matrix(block + "ffn_down.weight", kInner, kWidth, random, 0.1F));
    PUNA_CHECK(file.bias(block + "ffn_down.bias"));
    for (const auto name : {"attn_output_norm", "layer_output_norm"}) {
      PUNA_CHECK(file.norm(fmt::format("{}{}.weight", block, name)));
      PUNA_CHECK(file.bias(fmt::format("{}{}.bias", block, name)));
    }
  }
  return file.write(path);
}

}  // namespace

Result<> write(const std::filesystem::path& path, Kind kind, std::uint64_t seed) {
  switch (kind) {
    case Kind::chat:
    case Kind::endless:
    case Kind::tools:
      return write_chat(path, kind, seed);
    case Kind::embedding:
    case Kind::reranker:
      return write_encoder(path, kind, seed);
  }
  return fail(Code::internal, "unknown kind of tiny model");
}

}  // namespace puna::tiny_model
