// A conversation's turn: what is asked, and what comes back piece by piece.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace puna::client {

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};
BOOST_DESCRIBE_STRUCT(ChatMessage, (), (role, content))

struct ChatRequest {
  std::string model;
  std::vector<ChatMessage> messages;
  json::object parameters;                      // "temperature", "seed" … as the API names them
  std::optional<json::object> response_format;  // as the API has it
  std::optional<bool> think;                    // for templates that can switch thinking; absent: as the model likes
  std::optional<std::string> keep_alive;
};

struct PromptProgress {
  std::int64_t total = 0;  // tokens
  std::int64_t cache = 0;  // of them already known
  std::int64_t processed = 0;
};
BOOST_DESCRIBE_STRUCT(PromptProgress, (), (total, cache, processed))

// One piece of the answer; either text may be empty.
struct ChatDelta {
  std::string content;
  std::string reasoning;  // what a thinking model says to itself
  std::optional<PromptProgress> prompt;
};
using ChatSink = std::function<void(const ChatDelta&)>;

struct ChatUsage {
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
};
BOOST_DESCRIBE_STRUCT(ChatUsage, (), (prompt_tokens, completion_tokens))

// As the engine measured them.
struct ChatTimings {
  std::int64_t cache_n = 0;   // prompt tokens that were known already
  std::int64_t prompt_n = 0;  // prompt tokens that were computed
  double prompt_ms = 0;
  std::int64_t predicted_n = 0;
  double predicted_ms = 0;
};
BOOST_DESCRIBE_STRUCT(ChatTimings, (), (cache_n, prompt_n, prompt_ms, predicted_n, predicted_ms))

struct ChatEnd {
  std::string finish_reason;  // "stop", "length"
  std::optional<ChatUsage> usage;
  std::optional<ChatTimings> timings;
};

// The body of POST /v1/chat/completions, streaming.
[[nodiscard]] json::object chat_body(const ChatRequest& request);

// Reads the answer's events. Code::unavailable when the stream ended before the answer did.
class ChatReader {
 public:
  explicit ChatReader(const ChatSink& sink) : sink_(sink) {}

  [[nodiscard]] Result<> take(std::string_view data);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] Result<ChatEnd> end() const;

 private:
  const ChatSink& sink_;
  ChatEnd end_;
  bool done_ = false;
};

}  // namespace puna::client
