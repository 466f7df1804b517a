#include "api/ollama/request.h"

#include <gtest/gtest.h>

namespace puna::api::ollama {
namespace {

Result<Request> chat(std::string_view members, std::string_view messages = R"([{"role":"user","content":"hi"}])") {
  return translate_chat(fmt::format(R"({{"model":"m","messages":{}{}}})", messages, members));
}
Result<Request> generate(std::string_view members) {
  return translate_generate(fmt::format(R"({{"model":"m"{}}})", members));
}
std::string why(const Result<Request>& request) {
  return request ? "accepted" : request.error().message;
}
std::string member(const Result<Request>& request, std::string_view name) {
  if (!request) return request.error().message;
  const json::value* found = request->engine.body.if_contains(name);
  return found ? json::to_text(*found) : "absent";
}

TEST(OllamaRequest, options_have_the_engines_names_and_an_answer_streams_unless_it_may_not) {
  const auto request = chat(R"(,"options":{"num_predict":7,"num_ctx":9000,"top_k":3,"repeat_last_n":-1,"stop":"x","num_thread":4})");
  EXPECT_EQ(member(request, "max_tokens"), "7");
  EXPECT_EQ(member(request, "top_k"), "3");
  EXPECT_EQ(member(request, "repeat_last_n"), "2147483647");
  EXPECT_EQ(member(request, "stop"), R"(["x"])");
  EXPECT_EQ(member(request, "num_thread"), "absent");
  EXPECT_EQ(request->context, 9000);
  EXPECT_TRUE(request->engine.stream);
  EXPECT_EQ(member(chat(R"(,"options":{"num_predict":-1})"), "max_tokens"), "absent");
  EXPECT_FALSE(chat(R"(,"stream":false)")->engine.stream);
}

TEST(OllamaRequest, a_tools_answer_finds_the_call_that_it_belongs_to) {
  const auto request = chat("", R"([{"role":"user","content":"?"},
    {"role":"assistant","content":"","tool_calls":[{"function":{"name":"a","arguments":{"x":1}}},{"function":{"name":"b","arguments":{}}}]},
    {"role":"tool","tool_name":"b","content":"2"},{"role":"tool","content":"1"}])");
  const auto messages = request.value().engine.body.at("messages").as_array();
  EXPECT_EQ(messages[1].at("tool_calls").at(0).at("function").at("arguments"), R"({"x":1})");
  EXPECT_EQ(messages[2].at("tool_call_id"), messages[1].at("tool_calls").at(1).at("id"));
  EXPECT_EQ(messages[3].at("tool_call_id"), messages[1].at("tool_calls").at(0).at("id"));
  EXPECT_EQ(messages[3].at("name"), "a");
}

TEST(OllamaRequest, images_become_inline_data_of_the_kind_that_they_begin_like) {
  const auto request = chat("", R"([{"role":"user","content":"see","images":["/9j/4AA","iVBORw0"]}])");
  const auto parts = request.value().engine.body.at("messages").at(0).at("content").as_array();
  EXPECT_EQ(parts[1].at("image_url").at("url"), "data:image/jpeg;base64,/9j/4AA");
  EXPECT_EQ(parts[2].at("image_url").at("url"), "data:image/png;base64,iVBORw0");
}

TEST(OllamaRequest, a_prompt_is_a_conversation_or_raw_or_with_a_gap) {
  const auto plain = generate(R"(,"prompt":"p","system":"s")");
  EXPECT_EQ(member(plain, "messages"), R"([{"role":"system","content":"s"},{"role":"user","content":"p"}])");
  const auto raw = generate(R"(,"prompt":"p","raw":true,"format":"json")");
  EXPECT_EQ(raw->expectations.style, Style::raw);
  EXPECT_EQ(member(raw, "prompt"), R"("p")");
  EXPECT_EQ(member(raw, "json_schema"), R"({"type":"object"})");
  const auto gap = generate(R"(,"prompt":"p","suffix":"q")");
  EXPECT_EQ(gap->expectations.style, Style::infill);
  EXPECT_EQ(member(gap, "input_suffix"), R"("q")");
}

TEST(OllamaRequest, nothing_to_answer_is_a_request_without_a_body) {
  EXPECT_TRUE(chat("", "[]")->engine.body.empty());
  EXPECT_TRUE(generate(R"(,"keep_alive":0)")->engine.body.empty());
  EXPECT_EQ(generate(R"(,"keep_alive":0)")->engine.keep_alive, "0");
}

TEST(OllamaRequest, thinking_is_switched_or_has_a_level) {
  EXPECT_EQ(member(chat(R"(,"think":false)"), "chat_template_kwargs"), R"({"enable_thinking":false})");
  EXPECT_EQ(member(chat(R"(,"think":"max")"), "reasoning_effort"), R"("high")");
  EXPECT_TRUE(chat(R"(,"think":"low")")->wants_thinking);
  EXPECT_EQ(member(chat(""), "chat_template_kwargs"), "absent");
}

TEST(OllamaRequest, a_conversation_is_shortened_only_when_that_is_asked_for) {
  EXPECT_FALSE(chat("")->engine.overflow);
  EXPECT_EQ(chat(R"(,"truncate":true)")->engine.overflow, wire::Overflow::shift);
  EXPECT_EQ(chat(R"(,"shift":true)")->engine.overflow, wire::Overflow::shift);
}

TEST(OllamaRequest, each_malformed_member_is_named_and_unknown_ones_are_remembered) {
  EXPECT_EQ(why(chat(R"(,"options":{"top_k":"x"})")), R"(options.top_k: expected an integer, got "x")");
  EXPECT_EQ(why(chat("", R"([{"role":"user","content":7}])")), "messages[0].content: expected a string, got an integer");
  EXPECT_EQ(why(chat(R"(,"think":"much")")), R"(think: expected true, false, "low", "medium", "high" or "max")");
  EXPECT_EQ(why(generate(R"(,"prompt":"x","width":9)")), "width: not supported here; this server makes no images");
  EXPECT_EQ(chat(R"(,"nonsense":1,"options":{"more":2})")->expectations.ignored, "nonsense, options.more");
}

}  // namespace
}  // namespace puna::api::ollama
