// Models of a few hundred kilobytes that llama.cpp really loads and runs, for tests where the sense of the answer does not matter.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace puna::tiny_model {

enum class Kind : std::uint8_t {
  chat,       // a llama architecture with a ChatML template
  endless,    // the same, but it begins again instead of ending: for whoever must come in the middle
  tools,      // the chat model with a template that knows tools; it answers with kToolCall
  embedding,  // a BERT architecture, mean pooling, vectors of kEmbeddingLength
  reranker,   // the same with a classifier head: one score for a query and a document
};

// What the chat model answers to everything at temperature 0, one word a token; then it ends. At higher temperatures the seed decides.
inline constexpr std::string_view kAnswer =
    "Llamas walk slowly over a high plain while wind moves dry grass and far snow keeps its quiet light, nobody hurries, every animal "
    "knows where water waits, so evening finds them all together under cold clear stars.";
inline constexpr std::string_view kToolCall =
    "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";
inline constexpr std::uint32_t kContextLength = 32768;  // of the chat models
inline constexpr std::uint32_t kEmbeddingContextLength = 512;
inline constexpr std::uint32_t kEmbeddingLength = 64;

// The same bytes for the same kind and seed, on every machine.
[[nodiscard]] Result<> write(const std::filesystem::path& path, Kind kind, std::uint64_t seed = 1);

}  // namespace puna::tiny_model
