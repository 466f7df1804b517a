#include "client/chat.h"

#include <gtest/gtest.h>

namespace puna::client {
namespace {

struct Heard {
  std::string content;
  std::string reasoning;
  std::vector<std::int64_t> processed;
  ChatSink sink = [this](const ChatDelta& delta) {
    content += delta.content;
    reasoning += delta.reasoning;
    if (delta.prompt) processed.push_back(delta.prompt->processed);
  };
};

TEST(ChatBody, carries_what_was_asked_and_nothing_that_was_not) {
  ChatRequest request{.model = "m", .messages = {{"user", "hi"}}, .parameters = {{"temperature", 0}}};
  const auto body = chat_body(request);
  EXPECT_EQ(json::to_text(body.at("messages")), R"([{"role":"user","content":"hi"}])");
  EXPECT_EQ(body.at("temperature"), json::value(0));
  EXPECT_EQ(body.at("stream"), json::value(true));
  for (const auto* absent : {"response_format", "chat_template_kwargs", "keep_alive"}) EXPECT_FALSE(body.contains(absent)) << absent;
}

TEST(ChatBody, asks_the_template_to_think_or_not) {
  const auto body = chat_body({.model = "m", .think = false, .keep_alive = "5m"});
  EXPECT_EQ(json::to_text(body.at("chat_template_kwargs")), R"({"enable_thinking":false})");
  EXPECT_EQ(body.at("keep_alive"), json::value("5m"));
}

TEST(ChatReader, tells_text_and_thoughts_apart) {
  Heard heard;
  ChatReader reader(heard.sink);
  ASSERT_TRUE(reader.take(R"({"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]})"));
  ASSERT_TRUE(reader.take(R"({"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]})"));
  ASSERT_TRUE(reader.take(R"({"choices":[{"index":0,"delta":{"content":"yes"}}]})"));
  EXPECT_EQ(heard.content, "yes");
  EXPECT_EQ(heard.reasoning, "hm");
}

TEST(ChatReader, keeps_the_reason_the_usage_and_the_timings) {
  Heard heard;
  ChatReader reader(heard.sink);
  ASSERT_TRUE(reader.take(R"({"choices":[{"delta":{},"finish_reason":"length"}]})"));
  ASSERT_TRUE(reader.take(R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12},
    "timings":{"cache_n":1,"prompt_n":4,"prompt_ms":20.5,"predicted_n":7,"predicted_ms":70,"predicted_per_second":100}})"));
  ASSERT_TRUE(reader.take("[DONE]"));
  const auto end = reader.end();
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(end->finish_reason, "length");
  EXPECT_EQ(end->usage.value_or(ChatUsage()).completion_tokens, 7);
  EXPECT_EQ(end->timings.value_or(ChatTimings()).prompt_ms, 20.5);
}

TEST(ChatReader, reports_how_far_the_prompt_is_read) {
  Heard heard;
  ChatReader reader(heard.sink);
  ASSERT_TRUE(reader.take(R"({"choices":[],"prompt_progress":{"total":100,"cache":0,"processed":40,"time_ms":3}})"));
  EXPECT_EQ(heard.processed, std::vector<std::int64_t>{40});
}

TEST(ChatReader, an_error_inside_the_stream_is_the_answers_error) {
  Heard heard;
  ChatReader reader(heard.sink);
  const auto taken = reader.take(R"({"error":{"message":"the worker crashed","type":"api_error","code":"upstream_failed"}})");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::upstream_failed);
  EXPECT_EQ(taken.error().message, "the worker crashed");
}

TEST(ChatReader, a_stream_cut_before_its_mark_is_no_answer) {
  Heard heard;
  ChatReader reader(heard.sink);
  ASSERT_TRUE(reader.take(R"({"choices":[{"delta":{"content":"half"}}]})"));
  ASSERT_FALSE(reader.end());
  EXPECT_EQ(reader.end().error().code, Code::unavailable);
}

}  // namespace
}  // namespace puna::client
