// A conversation, turn by turn, as tokens: what stands before a turn when it is served, and the turn.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataset/row.h"
#include "inference/chat_template.h"
#include "inference/vocabulary.h"

namespace puna::trainer {

struct TokenTurn {
  std::vector<inference::Token> before;
  std::vector<inference::Token> turn;
};

class Turns {
 public:
  // Both outlive it.
  Turns(const inference::Vocabulary& vocabulary, const inference::ChatTemplate& chat_template,
        const std::vector<dataset::Message>& messages, const std::optional<json::array>& tools);

  // The assistant's message `index` as it is generated: behind the prompt that the server makes of all messages before it, up to the
  // token that ends it.
  [[nodiscard]] Result<TokenTurn> answer(std::size_t index) const;
  // Any message with all that the template writes around it. Nothing, when the template renders no conversation that ends with this
  // message: it belongs to the next one then.
  [[nodiscard]] Result<std::optional<TokenTurn>> whole(std::size_t index) const;

 private:
  [[nodiscard]] Result<std::string> render(std::size_t count, inference::Ending ending) const;
  [[nodiscard]] std::string answer_text(std::size_t index, std::string_view prompt, std::string_view complete) const;
  void close(std::vector<inference::Token>& turn, std::size_t index) const;

  const inference::Vocabulary& vocabulary_;
  const inference::ChatTemplate& template_;
  const std::vector<dataset::Message>& messages_;
  json::array rendered_;  // the messages as templates get them
  json::array tools_;
};

}  // namespace puna::trainer
