#include "api/openai/responses/items.h"

#include <gtest/gtest.h>

#include "api/openai/responses/request.h"

namespace puna::api::openai::responses {
namespace {

json::array messages(std::string_view items) {
  return messages_of({}, read_items(json::parse(items).value()).value());
}
std::string error_of(std::string_view members) {
  const auto request = read_request(fmt::format(R"({{"model":"m","input":"x",{}}})", members));
  return request ? "accepted" : request.error().message;
}

TEST(ResponseItems, a_text_is_one_message_of_the_user) {
  const auto items = read_items("Hi").value();
  EXPECT_EQ(items.at(0).at("role"), json::value("user"));
  EXPECT_TRUE(items.at(0).at("id").as_string().starts_with("msg_"));
  EXPECT_EQ(messages_of("Be brief.", items),
            json::parse(R"([{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}])").value());
}

TEST(ResponseItems, what_an_assistant_did_in_one_turn_is_one_message) {
  const auto all = messages(R"([{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},
    {"type":"message","role":"assistant","content":"I look."},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":"1"},{"type":"function_call_output","call_id":"c2","output":"2"},
    {"type":"message","role":"assistant","content":"Done."}])");
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all.at(0).at("reasoning_content"), json::value("hm"));
  EXPECT_EQ(all.at(0).at("content"), json::value("I look."));
  EXPECT_EQ(all.at(0).at("tool_calls").as_array().size(), 2u);
  EXPECT_EQ(all.at(1), json::parse(R"({"role":"tool","tool_call_id":"c1","content":"1"})").value());
  EXPECT_EQ(all.at(3).at("content"), json::value("Done."));
}

TEST(ResponseItems, images_stay_parts) {
  const auto all =
      messages(R"([{"role":"user","content":[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"data:x"}]}])");
  EXPECT_EQ(all.at(0).at("content").at(1).at("image_url").at("url"), json::value("data:x"));
}

TEST(ResponseItems, reasoning_that_another_server_encrypted_is_passed_over) {
  EXPECT_TRUE(messages(R"([{"type":"reasoning","summary":[],"encrypted_content":"xyz"}])").empty());
}

// ledger: M4
TEST(ResponseRequests, name_what_is_wrong) {
  EXPECT_EQ(error_of(R"("max_output_tokens":0)"), "max_output_tokens: 0 is below the least value 1");
  EXPECT_EQ(error_of(R"("text":{"format":{"type":"xml"}})"), "text.format.type: 'xml' is not one of text, json_object, json_schema");
  EXPECT_EQ(error_of(R"("text":{"verbosity":"high"})"),
            "text.verbosity: only 'medium' can be had here; ask for the length you want in the prompt");
  EXPECT_EQ(error_of(R"("reasoning":{"efort":"low"})"), "reasoning.efort: unknown parameter (did you mean 'effort'?)");
  EXPECT_EQ(error_of(R"("prompt":{"id":"p"})"), "prompt: not supported here; prompts are not stored here; send 'instructions' and 'input'");
  EXPECT_EQ(read_request(R"({"model":"m"})").error().message, "input: required, but missing");
}

TEST(ResponseRequests, become_a_chat) {
  const auto request = read_request(R"({"model":"m","input":"x","max_output_tokens":9,"reasoning":{"effort":"low"},"stream":true,
    "tools":[{"type":"function","name":"f","parameters":{}}],"tool_choice":{"type":"function","name":"f"},
    "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}},"top_k":3})")
                           .value();
  EXPECT_EQ(request.chat.at("max_tokens"), json::value(9));
  EXPECT_EQ(request.chat.at("reasoning_effort"), json::value("low"));
  EXPECT_EQ(request.chat.at("tools").at(0).at("function").at("name"), json::value("f"));
  EXPECT_EQ(request.chat.at("tool_choice").at("function").at("name"), json::value("f"));
  EXPECT_EQ(request.chat.at("response_format").at("json_schema").at("schema"), json::value(json::object{{"type", "object"}}));
  EXPECT_EQ(request.chat.at("stream_options").at("include_usage"), json::value(true));
  EXPECT_EQ(request.chat.at("top_k"), json::value(3));
}

}  // namespace
}  // namespace puna::api::openai::responses
