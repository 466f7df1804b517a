#include "api/anthropic/request.h"

#include <gtest/gtest.h>

namespace puna::api::anthropic {
namespace {

// A request with the members given, which begin with a comma.
Result<Request> ask(std::string_view members, std::string_view messages = R"([{"role":"user","content":"hi"}])") {
  return translate(Endpoint::messages, fmt::format(R"({{"model":"m","max_tokens":100,"messages":{}{}}})", messages, members));
}

json::object chat_of(const Result<Request>& request) {
  return request ? request->chat.body : json::object{{"error", request.error().message}};
}
std::string why(const Result<Request>& request) {
  return request ? "accepted" : request.error().message;
}
std::string messages_of(const Result<Request>& request) {
  return request ? json::to_text(request->chat.body.at("messages")) : request.error().message;
}

TEST(AnthropicRequest, a_conversation_with_tools_keeps_its_order_in_the_engines_dialect) {
  const auto request = ask(R"(,"system":[{"type":"text","text":"be brief"}])", R"([
    {"role":"user","content":"weather?"},
    {"role":"assistant","content":[{"type":"thinking","thinking":"look it up","signature":""},
      {"type":"tool_use","id":"t1","name":"weather","input":{"city":"Rome"}}]},
    {"role":"user","content":[{"type":"text","text":"and?"},{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"sunny"}]}]}])");
  EXPECT_EQ(messages_of(request),
            R"([{"role":"system","content":"be brief"},{"role":"user","content":"weather?"},)"
            R"({"role":"assistant","content":"","reasoning_content":"look it up","tool_calls":[{"id":"t1","type":"function",)"
            R"("function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}}]},)"
            R"({"role":"tool","tool_call_id":"t1","name":"weather","content":"sunny"},{"role":"user","content":"and?"}])");
}

TEST(AnthropicRequest, thinking_is_off_unless_it_is_asked_for) {
  EXPECT_EQ(json::to_text(chat_of(ask("")).at("chat_template_kwargs")), R"({"enable_thinking":false})");
  const auto thinking = ask(R"(,"thinking":{"type":"enabled","budget_tokens":50})");
  EXPECT_EQ(json::to_text(chat_of(thinking).at("chat_template_kwargs")), R"({"enable_thinking":true})");
  EXPECT_EQ(chat_of(thinking).at("thinking_budget_tokens"), 50);
  EXPECT_TRUE(thinking->expectations.thinking);
  EXPECT_FALSE(ask(R"(,"thinking":{"type":"adaptive","display":"omitted"})")->expectations.thinking);
}

TEST(AnthropicRequest, a_named_tool_is_the_only_one_offered_and_must_be_called) {
  const auto request = ask(R"(,"tools":[{"name":"a","input_schema":{"type":"object"}},{"name":"b","input_schema":{"type":"object"}}],)"
                           R"("tool_choice":{"type":"tool","name":"b"})");
  const auto chat = chat_of(request);
  ASSERT_EQ(chat.at("tools").as_array().size(), 1U);
  EXPECT_EQ(chat.at("tools").at(0).at("function").at("name"), "b");
  EXPECT_EQ(chat.at("tool_choice"), "required");
  EXPECT_TRUE(request->chat.tools);
}

TEST(AnthropicRequest, each_malformed_member_is_named) {
  EXPECT_EQ(why(ask(R"(,"temperature":"hot")")), "temperature: expected a number, got \"hot\"");
  EXPECT_EQ(why(ask(R"(,"temprature":1)")), "temprature: unknown parameter (did you mean 'temperature'?)");
  EXPECT_EQ(why(ask(R"(,"stop_sequences":[""])")), "stop_sequences[0]: expected a string with at least one character");
  EXPECT_EQ(why(ask(R"(,"thinking":{"type":"enabled"})")), "thinking.budget_tokens: required, but missing");
  EXPECT_EQ(why(ask(R"(,"thinking":{"type":"enabled","budget_tokens":100})")),
            "thinking.budget_tokens: must be less than max_tokens, which is 100");
  EXPECT_EQ(why(ask(R"(,"tools":[{"name":"a"}])")), "tools[0].input_schema: required, but missing");
  EXPECT_EQ(why(ask(R"(,"tool_choice":{"type":"some"})")), "tool_choice.type: 'some' is not one of auto, any, tool, none");
  EXPECT_EQ(why(ask(R"(,"output_config":{"effort":"mighty"})")),
            "output_config.effort: 'mighty' is not one of low, medium, high, xhigh, max");
  EXPECT_EQ(why(translate(Endpoint::messages, R"({"model":"m","messages":[{"role":"user","content":"x"}]})")),
            "max_tokens: required, but missing");
}

TEST(AnthropicRequest, each_malformed_block_is_named_by_its_place) {
  const auto block = [](std::string_view text) { return why(ask("", fmt::format(R"([{{"role":"user","content":[{}]}}])", text))); };
  EXPECT_EQ(block(R"({"type":"text"})"), "messages[0].content[0].text: expected a string");
  EXPECT_EQ(block(R"({"type":"image","source":{"type":"url","url":"http://x"}})"),
            "messages[0].content[0].source.type: 'url' is not supported here; send the image inline as base64");
  EXPECT_EQ(block(R"({"type":"tool_result","tool_use_id":"t9"})"),
            "messages[0].content[0].tool_use_id: no tool_use block before it has the id 't9'");
  EXPECT_EQ(block("7"), "messages[0].content[0]: expected an object");
  EXPECT_EQ(why(ask("", R"([{"role":"robot","content":"x"}])")), "messages[0].role: 'robot' is not one of user, assistant, system");
}

TEST(AnthropicRequest, what_only_anthropic_could_do_is_refused_with_the_way_out) {
  EXPECT_EQ(why(ask(R"(,"mcp_servers":[])")), "mcp_servers: not supported here; connect the MCP server on the client's side");
  EXPECT_EQ(why(ask(R"(,"tools":[{"type":"web_search_20250305","name":"web_search"}])")),
            "tools[0].type: 'web_search_20250305' runs or is known at Anthropic only; give a tool with an input_schema of its own");
}

TEST(AnthropicRequest, the_users_turns_in_a_row_are_one_and_an_image_stays_inline) {
  EXPECT_EQ(
      messages_of(
          ask("", R"([{"role":"user","content":"see"},)"
                  R"({"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUI="}}]}])")),
      R"([{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUI="}}]}])");
}

}  // namespace
}  // namespace puna::api::anthropic
