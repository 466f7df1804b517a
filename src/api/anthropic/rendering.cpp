#include "api/anthropic/rendering.h"

#include <algorithm>

#include "api/anthropic/error.h"
#include "api/engine_usage.h"
#include "api/openai/members.h"
#include "net/sse.h"

namespace puna::api::anthropic {
namespace {

using openai::present;
using openai::text_member;

std::string event(std::string_view type, json::object data) {
  json::object whole{{"type", type}};
  for (auto& member : data) whole[member.key()] = std::move(member.value());
  return net::sse_frame(type, "", json::to_text(whole));
}

std::string message_id(const json::object& answer) {
  auto id = text_member(answer, "id");
  if (const auto dash = id.find('-'); dash != std::string_view::npos) id.remove_prefix(dash + 1);
  return fmt::format("msg_{}", id);
}

json::object usage_of(const EngineUsage& usage) {
  return {{"input_tokens", std::max<std::int64_t>(usage.prompt_tokens - usage.cached_tokens, 0)},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_tokens},
          {"output_tokens", usage.completion_tokens}};
}

const json::object* first_choice(const json::object& answer) {
  const json::value* choices = present(answer, "choices");
  if (!choices || !choices->is_array() || choices->get_array().empty()) return nullptr;
  return choices->get_array().front().if_object();
}

// Ids of tool calls are the engine's, behind Anthropic's prefix.
std::string tool_use_id(std::string_view id) {
  return id.starts_with("toolu_") ? std::string(id) : fmt::format("toolu_{}", id);
}

class MessageRendering final : public Rendering {
 public:
  explicit MessageRendering(Expectations expectations) : expectations_(std::move(expectations)) {}

  void begin(const Begun& begun) override { begun_ = begun; }
  Result<net::Response> whole(const json::object& answer) override;
  net::Headers stream_headers() const override;
  Result<std::string> chunk(const json::object& chunk) override;
  std::string finish() override;
  std::string ping() override { return event("ping", {}); }
  std::string failure(const Error& error) override;

 private:
  enum class Block { none, thinking, text, tool };

  json::object message(const std::string& id, json::array content) const;
  void read(const json::object& answer);
  json::object stop() const;
  std::string start_message(const json::object& chunk);
  std::string enter(Block block, json::object start);
  std::string leave();
  std::string delta(std::string_view type, std::string_view member, std::string_view text) const;
  std::string render_text(Block block, std::string_view text);
  std::string render_call(const json::object& call);

  const Expectations expectations_;
  Begun begun_;
  EngineUsage usage_;
  std::string finish_reason_;
  std::string stopping_word_;
  bool started_ = false;
  Block block_ = Block::none;
  std::int64_t index_ = -1;  // of the block
  std::int64_t call_ = -1;   // the engine's number of the tool call that the block is
};

json::object MessageRendering::message(const std::string& id, json::array content) const {
  return {{"id", id},
          {"type", "message"},
          {"role", "assistant"},
          {"model", begun_.model},
          {"content", std::move(content)},
          {"stop_reason", nullptr},
          {"stop_sequence", nullptr},
          {"usage", usage_of(usage_)}};
}

// What an answer, or a chunk, tells besides words.
void MessageRendering::read(const json::object& answer) {
  take_usage(answer, usage_);
  if (const auto* choice = first_choice(answer))
    if (const auto reason = text_member(*choice, "finish_reason"); !reason.empty()) finish_reason_ = reason;
  const json::value* verbose = present(answer, "__verbose");
  if (!verbose || !verbose->is_object()) return;
  if (const auto word = text_member(verbose->get_object(), "stopping_word"); !word.empty()) stopping_word_ = word;
}

json::object MessageRendering::stop() const {
  std::string_view reason = "end_turn";
  json::value sequence = nullptr;
  if (finish_reason_ == "tool_calls") {
    reason = "tool_use";
  } else if (finish_reason_ == "length") {
    // The engine also ends at the end of its context.
    reason = usage_.completion_tokens < expectations_.max_tokens ? "model_context_window_exceeded" : "max_tokens";
  } else if (std::ranges::find(expectations_.stop_sequences, stopping_word_) != expectations_.stop_sequences.end()) {
    reason = "stop_sequence";
    sequence = stopping_word_;
  }
  return {{"stop_reason", reason}, {"stop_sequence", std::move(sequence)}};
}

json::array content_of(const json::object& message, const Expectations& expectations) {
  json::array out;
  if (const auto thinking = text_member(message, "reasoning_content"); expectations.thinking && !thinking.empty())
    out.push_back(json::object{{"type", "thinking"}, {"thinking", thinking}, {"signature", ""}});
  auto text = text_member(message, "content");
  if (text.starts_with(expectations.begun)) text.remove_prefix(expectations.begun.size());
  if (!text.empty()) out.push_back(json::object{{"type", "text"}, {"text", text}});
  const json::value* calls = present(message, "tool_calls");
  if (!calls || !calls->is_array()) return out;
  for (const auto& call : calls->get_array()) {
    const json::value* function = call.is_object() ? present(call.get_object(), "function") : nullptr;
    if (!function || !function->is_object()) continue;
    auto input = json::parse_object(text_member(function->get_object(), "arguments"));
    out.push_back(json::object{{"type", "tool_use"},
                               {"id", tool_use_id(text_member(call.get_object(), "id"))},
                               {"name", text_member(function->get_object(), "name")},
                               {"input", input ? std::move(*input) : json::object{}}});
  }
  return out;
}

Result<net::Response> MessageRendering::whole(const json::object& answer) {
  read(answer);
  const auto* choice = first_choice(answer);
  const json::value* words = choice ? present(*choice, "message") : nullptr;
  if (!words || !words->is_object()) return fail(Code::upstream_failed, "the engine's answer has no message");
  json::object out = message(message_id(answer), content_of(words->get_object(), expectations_));
  for (auto& member : stop()) out[member.key()] = member.value();
  auto response = net::json_response(200, out);
  response.headers.set("request-id", begun_.request_id);
  return response;
}

net::Headers MessageRendering::stream_headers() const {
  return {
      {"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}, {"request-id", begun_.request_id}};
}

// The engine tells of its progress with the prompt first, which is a sign of life later on.
std::string MessageRendering::start_message(const json::object& chunk) {
  if (std::exchange(started_, true)) return chunk.contains("prompt_progress") ? ping() : std::string();
  return event("message_start", {{"message", message(message_id(chunk), {})}});
}

std::string MessageRendering::enter(Block block, json::object start) {
  std::string out = leave();
  block_ = block;
  ++index_;
  return out + event("content_block_start", {{"index", index_}, {"content_block", std::move(start)}});
}

std::string MessageRendering::leave() {
  if (std::exchange(block_, Block::none) == Block::none) return {};
  return event("content_block_stop", {{"index", index_}});
}

std::string MessageRendering::delta(std::string_view type, std::string_view member, std::string_view text) const {
  return event("content_block_delta", {{"index", index_}, {"delta", json::object{{"type", type}, {member, text}}}});
}

std::string MessageRendering::render_text(Block block, std::string_view text) {
  if (text.empty()) return {};
  const bool thinking = block == Block::thinking;
  if (thinking && !expectations_.thinking) return {};
  std::string out;
  if (block_ != block)
    out = thinking ? enter(block, {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}})
                   : enter(block, {{"type", "text"}, {"text", ""}});
  return out + (thinking ? delta("thinking_delta", "thinking", text) : delta("text_delta", "text", text));
}

std::string MessageRendering::render_call(const json::object& call) {
  const json::value* number = present(call, "index");
  const std::int64_t index = number && number->is_int64() ? number->get_int64() : 0;
  const json::value* found = present(call, "function");
  static const json::object kNothing;
  const json::object& function = found && found->is_object() ? found->get_object() : kNothing;
  std::string out;
  if (block_ != Block::tool || call_ != index) {
    call_ = index;
    out = enter(Block::tool, {{"type", "tool_use"},
                              {"id", tool_use_id(text_member(call, "id"))},
                              {"name", text_member(function, "name")},
                              {"input", json::object{}}});
  }
  const auto arguments = text_member(function, "arguments");
  return arguments.empty() ? out : out + delta("input_json_delta", "partial_json", arguments);
}

Result<std::string> MessageRendering::chunk(const json::object& chunk) {
  read(chunk);
  std::string out = start_message(chunk);
  const auto* choice = first_choice(chunk);
  const json::value* found = choice ? present(*choice, "delta") : nullptr;
  if (!found || !found->is_object()) return out;
  const json::object& news = found->get_object();
  out += render_text(Block::thinking, text_member(news, "reasoning_content"));
  out += render_text(Block::text, text_member(news, "content"));
  if (const json::value* calls = present(news, "tool_calls"); calls && calls->is_array())
    for (const auto& call : calls->get_array())
      if (call.is_object()) out += render_call(call.get_object());
  return out;
}

std::string MessageRendering::finish() {
  if (finish_reason_.empty()) return failure(Error(Code::upstream_failed, "the engine's answer ended early"));
  return leave() + event("message_delta", {{"delta", stop()}, {"usage", usage_of(usage_)}}) + event("message_stop", {});
}

std::string MessageRendering::failure(const Error& error) {
  return net::sse_frame("error", "", json::to_text(error_body(traits(error.code).http_status, error, begun_.request_id)));
}

}  // namespace

std::unique_ptr<Rendering> message_rendering(Expectations expectations) {
  return std::make_unique<MessageRendering>(std::move(expectations));
}

}  // namespace puna::api::anthropic
