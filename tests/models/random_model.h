// Models with random weights, of any architecture that the trainer knows, of any size and tensor type: for tests of arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "gguf/types.h"

namespace puna::tiny_model {

struct RandomModel {
  std::string architecture =
      "llama";  // "qwen2": with biases; "qwen3": with norms of the heads; "gemma2", "gemma3": and of results; "phi3": fused maps
  gguf::TensorType type = gguf::TensorType::f32;  // of all matrices; rows must be whole blocks of it
  bool widened = false;                           // the values that `type` holds, but written as F32
  std::size_t layers = 2;
  std::size_t width = 64;
  std::size_t heads = 4;
  std::size_t heads_kv = 2;
  std::size_t head_width = 16;
  std::size_t inner = 96;
  std::size_t vocabulary = 256;
  bool tied = true;                // no output.weight
  bool frequency_factors = false;  // rope_freqs.weight, as Llama 3 has it
  bool factors_by_length = false;  // of "phi3", as its variants for long contexts have them
  std::size_t window = 16;         // tokens that layers 0, 2, 4 … of "gemma2" and "gemma3" see
  float cap = 8;                   // of scores and logits of "gemma2"
  std::uint64_t seed = 1;
};

// No tokenizer: tokens are numbers. The same bytes for the same arguments, on every machine.
[[nodiscard]] Result<> write(const std::filesystem::path& path, const RandomModel& model);

}  // namespace puna::tiny_model
