#include "api/openai/parameters.h"

#include <gtest/gtest.h>

namespace puna::api::openai {
namespace {

std::string chat_error(std::string_view members) {
  const auto request =
      validate(Endpoint::chat, fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"hi"}}],{}}})", members));
  return request ? "accepted" : request.error().message;
}

// ledger: M4
TEST(OpenAiParameters, a_wrong_kind_or_bound_is_refused_by_name) {
  EXPECT_EQ(chat_error(R"("temperature":"hot")"), R"(temperature: expected a number, got "hot")");
  EXPECT_EQ(chat_error(R"("top_p":1.5)"), "top_p: 1.5 is above the greatest value 1");
  EXPECT_EQ(chat_error(R"("max_tokens":0)"), "max_tokens: 0 is below the least value 1");
  EXPECT_EQ(chat_error(R"("stop":[1])"), "stop: expected a string or an array of strings, got an array");
  EXPECT_EQ(chat_error(R"("temperature":0)"), "accepted");
}

TEST(OpenAiParameters, what_cannot_be_honoured_is_refused_with_the_way_out) {
  EXPECT_EQ(chat_error(R"("functions":[])"), "functions: not supported here; use 'tools'");
  EXPECT_EQ(chat_error(R"("store":true)"), "store: completions are not stored here; leave it out or send false");
  EXPECT_EQ(chat_error(R"("temprature":1)"), "temprature: unknown parameter (did you mean 'temperature'?)");
}

TEST(OpenAiParameters, fields_are_checked_against_each_other) {
  EXPECT_EQ(chat_error(R"("top_logprobs":3)"), "top_logprobs: needs 'logprobs': true");
  EXPECT_EQ(chat_error(R"("stream_options":{"include_usage":true})"), "stream_options: needs 'stream': true");
  EXPECT_EQ(chat_error(R"("tool_choice":"required")"), "tool_choice: 'required' needs 'tools'");
}

TEST(OpenAiParameters, messages_are_checked_down_to_the_part) {
  const auto error = [](std::string_view messages) {
    return validate(Endpoint::chat, fmt::format(R"({{"model":"m","messages":{}}})", messages)).error().message;
  };
  EXPECT_EQ(error("[]"), "messages: at least one message is needed");
  EXPECT_EQ(error(R"([{"role":"robot","content":"x"}])"),
            "messages[0].role: 'robot' is not one of system, developer, user, assistant, tool");
  EXPECT_EQ(error(R"([{"role":"user"}])"), "messages[0].content: required, but missing");
  EXPECT_EQ(error(R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://10.0.0.1/x"}}]}])"),
            "messages[0].content[0].image_url.url: only data: URLs are accepted; send the image inline");
}

TEST(OpenAiParameters, nulls_and_our_own_members_do_not_reach_the_engine) {
  const auto request =
      validate(Endpoint::chat, R"({"model":"m","messages":[{"role":"user","content":"x"}],"seed":null,"keep_alive":"10m","stream":true})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_TRUE(request->rewritten);
  EXPECT_TRUE(request->stream);
  EXPECT_EQ(request->keep_alive, "10m");
  EXPECT_FALSE(request->body.contains("seed"));
  EXPECT_FALSE(request->body.contains("keep_alive"));
}

TEST(OpenAiParameters, truncation_has_openais_words_and_ours) {
  const auto with = [](std::string_view word) {
    return validate(Endpoint::chat, fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"x"}}],"truncation":"{}"}})", word));
  };
  EXPECT_EQ(with("auto")->overflow, wire::Overflow::shift);
  EXPECT_EQ(with("disabled")->overflow, wire::Overflow::refuse);
  EXPECT_EQ(with("middle-out")->overflow, wire::Overflow::middle_out);
  EXPECT_FALSE(with("summarise")->body.contains("truncation"));
  EXPECT_EQ(with("cut").error().message, "truncation: 'cut' is not one of disabled, auto, shift, middle-out, summarise");
}

TEST(OpenAiParameters, adapters_are_named_with_their_scales) {
  const auto with = [](std::string_view list) {
    return validate(Endpoint::completions, fmt::format(R"({{"model":"m","prompt":"x","adapters":{}}})", list));
  };
  const auto request = with(R"([{"name":"pirate"},{"name":"terse","scale":0.5}])");
  ASSERT_TRUE(request) << request.error().message;
  ASSERT_EQ(request->adapters->size(), 2u);
  EXPECT_EQ(request->adapters->at(1).scale, 0.5);
  EXPECT_FALSE(request->body.contains("adapters"));
  EXPECT_EQ(with(R"([{"name":7}])").error().message, "adapters[0].name: expected a string, got an integer");
}

TEST(OpenAiParameters, the_other_endpoints_ask_for_their_input) {
  EXPECT_EQ(validate(Endpoint::completions, R"({"model":"m"})").error().message, "prompt: required, but missing");
  EXPECT_EQ(validate(Endpoint::embeddings, R"({"model":"m","input":[]})").error().message, "input: there is nothing to embed");
  EXPECT_EQ(validate(Endpoint::embeddings, R"({"input":"x"})").error().message, "model: required, but missing");
  EXPECT_EQ(validate(Endpoint::chat, "\xff").error().message, "the request body is not UTF-8");
}

}  // namespace
}  // namespace puna::api::openai
