// The tokens of a model, as llama.cpp makes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct llama_model;

namespace puna::inference {

using Token = std::int32_t;

// Reads the file's header, never its weights. Thread-safe once it is open.
class Vocabulary {
 public:
  // Code::unsupported says what llama.cpp does not like.
  [[nodiscard]] static Result<Vocabulary> open(const std::filesystem::path& model);
  Vocabulary(Vocabulary&&) noexcept;
  Vocabulary& operator=(Vocabulary&&) noexcept;
  ~Vocabulary();

  [[nodiscard]] std::size_t size() const;
  // Of a prompt, as llama.cpp's server makes them: with the tokens that every prompt of this model begins with, and special tokens where
  // their names stand.
  [[nodiscard]] std::vector<Token> prompt(std::string_view text) const;
  // Of text behind other text: nothing is put before it, not even the space that some models begin every text with.
  [[nodiscard]] std::vector<Token> continuation(std::string_view text) const;
  // Its bytes: a part of a character, perhaps. Special tokens by their names.
  [[nodiscard]] std::string piece(Token token) const;
  [[nodiscard]] std::string text(std::span<const Token> tokens) const;
  // A model that says one of these has said everything.
  [[nodiscard]] bool ends(Token token) const;
  // The one that a text ends with. Absent in a vocabulary without any.
  [[nodiscard]] std::optional<Token> end_of_text() const;
  // The one that a turn ends with, when it is not the same.
  [[nodiscard]] std::optional<Token> end_of_turn() const;

  [[nodiscard]] const llama_model* engine_model() const { return model_.get(); }

 private:
  struct Free {
    void operator()(llama_model* model) const;
  };
  explicit Vocabulary(std::unique_ptr<llama_model, Free> model) : model_(std::move(model)) {}

  std::unique_ptr<llama_model, Free> model_;
};

}  // namespace puna::inference
