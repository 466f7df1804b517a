#include "api/anthropic/rendering.h"

#include <gtest/gtest.h>

#include "net/sse.h"

namespace puna::api::anthropic {
namespace {

json::object object(std::string_view text) {
  return json::parse_object(text).value();
}

std::unique_ptr<Rendering> begun(Expectations expectations) {
  auto rendering = message_rendering(std::move(expectations));
  rendering->begin({.model = "m:latest", .request_id = "R1", .arrived = {}});
  return rendering;
}

// The events of a stream whose choices have these deltas, each as its data; the last one has a finish reason.
std::vector<json::object> events(Rendering& rendering, const std::vector<std::string>& deltas, std::string_view finish) {
  std::string bytes;
  for (const auto& delta : deltas)
    bytes += rendering
                 .chunk(object(fmt::format(
                     R"({{"id":"chatcmpl-1","choices":[{{"delta":{}}}],"timings":{{"cache_n":3,"prompt_n":4,"predicted_n":1}}}})", delta)))
                 .value();
  bytes +=
      rendering.chunk(object(fmt::format(R"({{"id":"chatcmpl-1","choices":[{{"delta":{{}},"finish_reason":"{}"}}]}})", finish))).value();
  bytes +=
      rendering
          .chunk(object(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9,"prompt_tokens_details":{"cached_tokens":3}}})"))
          .value();
  bytes += rendering.finish();
  std::vector<json::object> out;
  net::SseParser parser;
  EXPECT_TRUE(parser.feed(bytes, [&](const net::SseEvent& event) {
    out.push_back(object(event.data));
    EXPECT_EQ(std::string_view(out.back().at("type").as_string()), event.event);
  }));
  return out;
}

std::vector<std::string> types(const std::vector<json::object>& events) {
  std::vector<std::string> out;
  for (const auto& event : events) out.emplace_back(event.at("type").as_string());
  return out;
}

TEST(AnthropicRendering, thinking_words_and_calls_are_blocks_one_after_another) {
  const auto rendering = begun({.thinking = true, .max_tokens = 100});
  const auto told =
      events(*rendering,
             {R"({"role":"assistant","content":null})", R"({"reasoning_content":"hm"})", R"({"content":"a"})", R"({"content":"b"})",
              R"({"tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":"{"}}]})",
              R"({"tool_calls":[{"index":0,"function":{"arguments":"}"}}]})"},
             "tool_calls");
  EXPECT_EQ(types(told), (std::vector<std::string>{"message_start", "content_block_start", "content_block_delta", "content_block_stop",
                                                   "content_block_start", "content_block_delta", "content_block_delta",
                                                   "content_block_stop", "content_block_start", "content_block_delta",
                                                   "content_block_delta", "content_block_stop", "message_delta", "message_stop"}));
  EXPECT_EQ(told[0].at("message").at("usage").at("input_tokens"), 4);
  EXPECT_EQ(told[8].at("index"), 2);
  EXPECT_EQ(told[8].at("content_block").at("id"), "toolu_x");
  EXPECT_EQ(told[12].at("delta").at("stop_reason"), "tool_use");
  EXPECT_EQ(json::to_text(told[12].at("usage")),
            R"({"input_tokens":4,"cache_creation_input_tokens":0,"cache_read_input_tokens":3,"output_tokens":9})");
}

TEST(AnthropicRendering, thinking_that_nobody_asked_for_is_not_shown) {
  const auto rendering = begun({.max_tokens = 100});
  const auto told = events(*rendering, {R"({"reasoning_content":"hm"})", R"({"content":"a"})"}, "stop");
  EXPECT_EQ(told[1].at("content_block").at("type"), "text");
  EXPECT_EQ(told[1].at("index"), 0);
}

TEST(AnthropicRendering, an_answer_tells_why_it_ended) {
  const auto reason = [](Expectations expectations, std::string_view finish, std::string_view word) {
    const auto rendering = begun(std::move(expectations));
    const auto response = rendering->whole(object(fmt::format(
        R"({{"id":"chatcmpl-1","choices":[{{"message":{{"content":"x"}},"finish_reason":"{}"}}],"usage":{{"completion_tokens":5}},"__verbose":{{"stopping_word":"{}"}}}})",
        finish, word)));
    const auto body = object(response->body);
    return std::string(body.at("stop_reason").as_string()) + " " + json::to_text(body.at("stop_sequence"));
  };
  EXPECT_EQ(reason({.max_tokens = 5}, "stop", ""), "end_turn null");
  EXPECT_EQ(reason({.stop_sequences = {"END"}, .max_tokens = 5}, "stop", "END"), "stop_sequence \"END\"");
  EXPECT_EQ(reason({.max_tokens = 5}, "length", ""), "max_tokens null");
  EXPECT_EQ(reason({.max_tokens = 50}, "length", ""), "model_context_window_exceeded null");
}

TEST(AnthropicRendering, a_cut_stream_ends_with_an_error_event) {
  const auto rendering = begun({.max_tokens = 5});
  EXPECT_EQ(rendering->failure(Error(Code::upstream_failed, "the worker crashed")),
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"the worker "
            "crashed\"},\"request_id\":\"R1\"}\n\n");
  EXPECT_NE(rendering->finish().find("ended early"), std::string::npos);
}

}  // namespace
}  // namespace puna::api::anthropic
