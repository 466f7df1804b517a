// A chat with one model, as the terminal keeps it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/chat/answer.h"
#include "cli/context.h"
#include "client/chat.h"

namespace puna::cli {

struct ChatSettings {
  std::string system;
  json::object parameters;  // as the API has them
  std::optional<json::object> response_format;
  std::optional<bool> think;
  std::optional<std::string> keep_alive;
  AnswerView::Manner manner;
  bool verbose = false;  // timings behind each answer
};

struct Answer {
  std::string content;
  std::string reasoning;
  client::ChatEnd end;
};

class Conversation {
 public:
  // `model`: its full name.
  Conversation(Context& context, std::string model, ChatSettings settings)
      : settings(std::move(settings)), context_(context), model_(std::move(model)) {}

  // Asks, and shows the answer while it comes. Question and answer are remembered; of an answer that was stopped (Code::cancelled), what
  // had come. A question that failed is forgotten.
  [[nodiscard]] Result<Answer> ask(std::string text, std::stop_token stop);
  void forget() { messages_.clear(); }

  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] const std::vector<client::ChatMessage>& messages() const { return messages_; }

  ChatSettings settings;  // may change between questions

 private:
  [[nodiscard]] client::ChatRequest request() const;

  Context& context_;
  std::string model_;
  std::vector<client::ChatMessage> messages_;
};

// What --format and /set format take: "json", or a file with a JSON schema.
[[nodiscard]] Result<json::object> read_format(const std::string& typed);

}  // namespace puna::cli
