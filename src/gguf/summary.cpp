#include "gguf/summary.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <map>
#include <string_view>
#include <variant>
#include <vector>

#include "base/text.h"

namespace puna::gguf {
namespace {

// general.file_type, as llama.cpp's quantizer numbers its mixtures, and the type that most of the weights then have.
struct FileType {
  std::uint64_t number;
  std::string_view label;
  TensorType main_type;
};
constexpr std::array kFileTypes = {
    FileType{0, "F32", TensorType::f32},        FileType{1, "F16", TensorType::f16},          FileType{2, "Q4_0", TensorType::q4_0},
    FileType{3, "Q4_1", TensorType::q4_1},      FileType{7, "Q8_0", TensorType::q8_0},        FileType{8, "Q5_0", TensorType::q5_0},
    FileType{9, "Q5_1", TensorType::q5_1},      FileType{10, "Q2_K", TensorType::q2_k},       FileType{11, "Q3_K_S", TensorType::q3_k},
    FileType{12, "Q3_K_M", TensorType::q3_k},   FileType{13, "Q3_K_L", TensorType::q3_k},     FileType{14, "Q4_K_S", TensorType::q4_k},
    FileType{15, "Q4_K_M", TensorType::q4_k},   FileType{16, "Q5_K_S", TensorType::q5_k},     FileType{17, "Q5_K_M", TensorType::q5_k},
    FileType{18, "Q6_K", TensorType::q6_k},     FileType{19, "IQ2_XXS", TensorType::iq2_xxs}, FileType{20, "IQ2_XS", TensorType::iq2_xs},
    FileType{21, "Q2_K_S", TensorType::q2_k},   FileType{22, "IQ3_XS", TensorType::iq3_s},    FileType{23, "IQ3_XXS", TensorType::iq3_xxs},
    FileType{24, "IQ1_S", TensorType::iq1_s},   FileType{25, "IQ4_NL", TensorType::iq4_nl},   FileType{26, "IQ3_S", TensorType::iq3_s},
    FileType{27, "IQ3_M", TensorType::iq3_s},   FileType{28, "IQ2_S", TensorType::iq2_xs},    FileType{29, "IQ2_M", TensorType::iq2_s},
    FileType{30, "IQ4_XS", TensorType::iq4_xs}, FileType{31, "IQ1_M", TensorType::iq1_m},     FileType{32, "BF16", TensorType::bf16},
    FileType{36, "TQ1_0", TensorType::tq1_0},   FileType{37, "TQ2_0", TensorType::tq2_0},     FileType{38, "MXFP4", TensorType::mxfp4},
    FileType{39, "NVFP4", TensorType::nvfp4},   FileType{40, "Q1_0", TensorType::q1_0},       FileType{41, "Q2_0", TensorType::q2_0}};

// Architectures that only encode: they have no next token to give.
constexpr std::array<std::string_view, 11> kEncoders = {"bert",      "modern-bert",     "nomic-bert",   "nomic-bert-moe",
                                                        "neo-bert",  "jina-bert-v2",    "jina-bert-v3", "eurobert",
                                                        "t5encoder", "gemma-embedding", "llama-embed"};

enum class Pooling : std::uint64_t { none = 0, mean = 1, first = 2, last = 3, rank = 4 };  // llama.cpp's numbers

std::optional<std::string> display(const Header& header, std::string_view key) {
  const auto text = header.text(key);
  if (!text || trim(*text).empty()) return std::nullopt;
  return printable(trim(*text));
}

// Some architectures give a figure for each layer; the largest stands for the model.
std::optional<std::uint64_t> largest(const Header& header, const std::string& key) {
  const Value* value = header.find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&]<class T>(const T& found) -> std::optional<std::uint64_t> {
        if constexpr (std::same_as<T, std::vector<std::int32_t>> || std::same_as<T, std::vector<std::uint32_t>>) {
          if (found.empty()) return std::nullopt;
          return static_cast<std::uint64_t>(std::max<std::int64_t>(0, *std::ranges::max_element(found)));
        }
        return header.integer(key);
      },
      *value);
}

std::string quantization_of(const Header& header) {
  std::map<TensorType, std::uint64_t> elements;
  for (const auto& tensor : header.tensors()) elements[tensor.type] += tensor.elements();
  if (elements.empty()) return "";
  const auto claimed = std::ranges::find(kFileTypes, header.integer("general.file_type").value_or(UINT64_MAX), &FileType::number);
  // Files converted again by other tools often keep the old claim, so it counts only when the tensors bear it out.
  if (claimed != kFileTypes.end() && elements.contains(claimed->main_type)) return std::string(claimed->label);
  const auto main = std::ranges::max_element(elements, {}, [](const auto& entry) { return entry.second; });
  return std::string(traits(main->first).name);
}

std::string chat_templates(const Header& header) {
  std::string out;
  for (const auto& [key, value] : header.metadata())
    if (key.starts_with("tokenizer.chat_template"))
      if (const auto* text = std::get_if<std::string>(&value)) out += *text + "\n";
  return out;
}

bool mentions_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

Capabilities capabilities_of(const Header& header, const Summary& summary, std::string_view templates) {
  Capabilities out;
  if (summary.kind != "model") return out;  // adapters and projectors do nothing by themselves
  const auto pooling = header.integer(summary.architecture + ".pooling_type").value_or(0);
  const bool encoder = std::ranges::find(kEncoders, summary.architecture) != kEncoders.end();
  const bool pools = pooling != static_cast<std::uint64_t>(Pooling::none);
  const bool ranks = pooling == static_cast<std::uint64_t>(Pooling::rank);
  out.embedding = (encoder || pools) && !ranks;
  out.rerank = ranks;
  out.chat = summary.chat_template && !encoder && !pools;
  const auto traits = traits_of_template(templates);
  out.tools = out.chat && traits.tools;
  out.thinking = out.chat && traits.thinking;
  return out;
}

}  // namespace

TemplateTraits traits_of_template(std::string_view chat_template) {
  return {.tools = mentions_any(chat_template, {"tools", "tool_calls"}),
          .thinking = mentions_any(chat_template, {"<think", "enable_thinking", "reasoning_content", "thinking"})};
}

Summary summarize(const Header& header) {
  Summary out;
  out.architecture = display(header, "general.architecture").value_or("");
  out.kind = display(header, "general.type").value_or("model");
  if (out.architecture == "clip") out.kind = "mmproj";  // older projectors carry no type
  out.name = display(header, "general.name");
  out.licence = display(header, "general.license");
  for (const auto& tensor : header.tensors()) out.parameters += tensor.elements();
  out.quantization = quantization_of(header);
  const auto figure = [&](std::string_view key) { return largest(header, out.architecture + "." + std::string(key)); };
  out.context_length = figure("context_length");
  out.embedding_length = figure("embedding_length");
  out.block_count = figure("block_count");
  out.head_count = figure("attention.head_count");
  out.head_count_kv = figure("attention.head_count_kv");
  out.expert_count = figure("expert_count");
  out.vocabulary_size = figure("vocab_size");
  if (const auto tokens = header.array_size("tokenizer.ggml.tokens"); tokens > 0) out.vocabulary_size = tokens;
  const std::string templates = chat_templates(header);
  out.chat_template = !trim(templates).empty();
  out.capabilities = capabilities_of(header, out, templates);
  return out;
}

}  // namespace puna::gguf
