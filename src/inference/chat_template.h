// A model's own chat template, rendered by llama.cpp as its server does for a chat.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "inference/vocabulary.h"

namespace puna::inference {

enum class Ending : std::uint8_t {
  answer_follows,  // what a model is given so that it answers
  complete         // nothing follows: the answers are there
};

// The tags around what a model thinks before it answers; empty where it does not.
struct ThinkingTags {
  std::string start;
  std::string end;
};

// Thread-safe once it is made.
class ChatTemplate {
 public:
  // Of the model, which must stay; of `source`, unless that is empty; ChatML, when there is neither, as the server has it.
  // Code::unsupported when the template does not parse.
  [[nodiscard]] static Result<ChatTemplate> create(const Vocabulary& vocabulary, const std::string& source = {});
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // `messages` and `tools` as OpenAI's API has them. Vocabulary::prompt() makes of the text what the server would. Code::invalid_argument
  // is the template's own refusal, in its words.
  [[nodiscard]] Result<std::string> render(const json::array& messages, const json::array& tools, Ending ending) const;
  // What the server would show of a generated text: without the model's thoughts. The text as it is where it cannot be read.
  [[nodiscard]] std::string shown(const std::string& generated) const;
  [[nodiscard]] const ThinkingTags& thinking() const;
  // Whether it came with the model, or was given.
  [[nodiscard]] bool explicit_source() const;

 private:
  struct Parts;
  explicit ChatTemplate(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace puna::inference
