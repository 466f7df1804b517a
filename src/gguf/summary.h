// What people ask about a model, read off its header.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gguf/reader.h"

namespace puna::gguf {

struct Capabilities {
  bool chat = false;       // has a chat template and generates text
  bool embedding = false;  // made to embed: an encoder, or a pooling type is stored
  bool rerank = false;     // made to score documents for a query
  bool tools = false;      // its chat template renders tool definitions
  bool thinking = false;   // its chat template has a thinking part
};
BOOST_DESCRIBE_STRUCT(Capabilities, (), (chat, embedding, rerank, tools, thinking))

struct Summary {
  std::string architecture;  // "llama"
  std::string kind;          // general.type: "model", "adapter", "mmproj"; "model" when the file does not say
  std::optional<std::string> name;
  std::optional<std::string> licence;
  std::uint64_t parameters = 0;  // elements of all tensors
  std::string quantization;      // "Q4_K_M"; by the file's word, else the type that holds most parameters
  std::optional<std::uint64_t> context_length;
  std::optional<std::uint64_t> embedding_length;
  std::optional<std::uint64_t> block_count;
  std::optional<std::uint64_t> head_count;
  std::optional<std::uint64_t> head_count_kv;
  std::optional<std::uint64_t> expert_count;
  std::optional<std::uint64_t> vocabulary_size;
  bool chat_template = false;
  Capabilities capabilities;
};
BOOST_DESCRIBE_STRUCT(Summary, (),
                      (architecture, kind, name, licence, parameters, quantization, context_length, embedding_length, block_count,
                       head_count, head_count_kv, expert_count, vocabulary_size, chat_template, capabilities))

[[nodiscard]] Summary summarize(const Header& header);

// What a chat template (Jinja) renders, by the words in it.
struct TemplateTraits {
  bool tools = false;
  bool thinking = false;
};
[[nodiscard]] TemplateTraits traits_of_template(std::string_view chat_template);

}  // namespace puna::gguf
