#include "client/chat.h"

#include "wire/error.h"

namespace puna::client {
namespace {

// The parts of OpenAI's chunk that are read here; `timings` and `prompt_progress` are llama.cpp's.
struct Delta {
  std::optional<std::string> content;
  std::optional<std::string> reasoning_content;
};
BOOST_DESCRIBE_STRUCT(Delta, (), (content, reasoning_content))

struct Choice {
  std::optional<Delta> delta;
  std::optional<std::string> finish_reason;
};
BOOST_DESCRIBE_STRUCT(Choice, (), (delta, finish_reason))

struct Chunk {
  std::optional<std::vector<Choice>> choices;
  std::optional<ChatUsage> usage;
  std::optional<ChatTimings> timings;
  std::optional<PromptProgress> prompt_progress;
};
BOOST_DESCRIBE_STRUCT(Chunk, (), (choices, usage, timings, prompt_progress))

constexpr std::string_view kEndMark = "[DONE]";
constexpr int kFailedMidway = 502;  // the status an error inside a stream would have had

}  // namespace

json::object chat_body(const ChatRequest& request) {
  json::object body{{"model", request.model},
                    {"messages", json::encode(request.messages)},
                    {"stream", true},
                    {"stream_options", {{"include_usage", true}}},
                    {"return_progress", true}};
  for (const auto& parameter : request.parameters) body[parameter.key()] = parameter.value();
  if (request.response_format) body["response_format"] = *request.response_format;
  if (request.think) body["chat_template_kwargs"] = json::object{{"enable_thinking", *request.think}};
  if (request.keep_alive) body["keep_alive"] = *request.keep_alive;
  return body;
}

Result<> ChatReader::take(std::string_view data) {
  if (done_) return {};
  if (data == kEndMark) {
    done_ = true;
    return {};
  }
  PUNA_TRY(auto value, json::parse_object(data));
  if (value.contains("error")) return fail(wire::from_wire(kFailedMidway, data));
  PUNA_TRY(auto chunk, json::decode<Chunk>(value, json::Unknown::ignore));
  ChatDelta delta;
  for (auto& choice : chunk.choices.value_or(std::vector<Choice>())) {
    if (choice.delta) delta.content += choice.delta->content.value_or("");
    if (choice.delta) delta.reasoning += choice.delta->reasoning_content.value_or("");
    if (choice.finish_reason) end_.finish_reason = *choice.finish_reason;
  }
  delta.prompt = chunk.prompt_progress;
  if (chunk.usage) end_.usage = chunk.usage;
  if (chunk.timings) end_.timings = chunk.timings;
  if (!delta.content.empty() || !delta.reasoning.empty() || delta.prompt) sink_(delta);
  return {};
}

Result<ChatEnd> ChatReader::end() const {
  if (!done_) return fail(Code::unavailable, "the answer broke off before its end; `puna logs` may tell why");
  return end_;
}

}  // namespace puna::client
