// What a model says, token by token the likeliest one: for looking at a training, not for serving.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "inference/vocabulary.h"

namespace puna::inference {

struct GeneratorOptions {
  std::size_t context = 2048;   // tokens of a prompt and its answer together, at most
  std::size_t together = 4;     // answers that are computed side by side
  std::size_t most_tokens = 0;  // of an answer; 0: what fits the context
  std::size_t threads = 1;
};

struct Generated {
  std::vector<Token> tokens;  // without the one that ends it
  bool ended = false;         // by the model itself
};

// On the CPU, from the mapped file. One thread at a time.
class Generator {
 public:
  // Code::unsupported or Code::out_of_memory with what llama.cpp says.
  [[nodiscard]] static Result<Generator> open(const std::filesystem::path& model, const GeneratorOptions& options);
  Generator(Generator&&) noexcept;
  Generator& operator=(Generator&&) noexcept;
  ~Generator();

  // An adapter in GGUF, at its full strength, from now on; an empty path: the base alone.
  [[nodiscard]] Result<> use_adapter(const std::filesystem::path& adapter);
  // Of each prompt its answer, in the order of the prompts; `told` is called when one is there. A prompt that leaves no room in the context
  // gets no answer. Code::cancelled within a token.
  [[nodiscard]] Result<std::vector<Generated>> answer(std::span<const std::vector<Token>> prompts, const std::stop_token& stop = {},
                                                      const std::function<void(std::size_t done)>& told = {});

 private:
  struct Parts;
  class Work;
  explicit Generator(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace puna::inference
