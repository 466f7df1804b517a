#include "api/openai/responses/answer.h"

#include <gtest/gtest.h>

#include "net/sse.h"

namespace puna::api::openai::responses {
namespace {

json::object chunk(std::string_view delta, std::string_view more = "") {
  return json::parse_object(fmt::format(R"({{"choices":[{{"index":0,"delta":{}{}}}]}})", delta, more)).value();
}

// The types of the events, in their order.
std::string types_in(std::string_view events) {
  std::string out;
  net::SseParser parser;
  const auto fed = parser.feed(events, [&](const net::SseEvent& event) { out += event.event.substr(event.event.find('.') + 1) + " "; });
  EXPECT_TRUE(fed);
  return out;
}

TEST(ResponseAnswer, opens_and_closes_each_item_of_a_stream) {
  Answer answer({}, true);
  answer.begin("m");
  EXPECT_EQ(types_in(answer.take_chunk(chunk(R"({"role":"assistant"})"))), "created in_progress ");
  EXPECT_EQ(types_in(answer.take_chunk(chunk(R"({"reasoning_content":"hm"})"))),
            "output_item.added content_part.added reasoning_text.delta ");
  EXPECT_EQ(types_in(answer.take_chunk(chunk(R"({"content":"Hi"})"))),
            "reasoning_text.done content_part.done output_item.done output_item.added content_part.added output_text.delta ");
  EXPECT_EQ(types_in(answer.take_chunk(chunk(R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]})"))),
            "output_text.done content_part.done output_item.done output_item.added function_call_arguments.delta ");
  EXPECT_EQ(types_in(answer.take_chunk(chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"}"}}]})"))),
            "function_call_arguments.delta ");
  EXPECT_EQ(types_in(answer.take_chunk(chunk(R"({"tool_calls":[{"index":1,"id":"d","function":{"name":"g","arguments":""}}]})"))),
            "function_call_arguments.done output_item.done output_item.added ");
  EXPECT_EQ(types_in(answer.finish()), "function_call_arguments.done output_item.done completed ");
  EXPECT_EQ(answer.response().at("output").as_array().size(), 4u);
  EXPECT_EQ(answer.response().at("output").at(2).at("arguments"), json::value("{}"));
}

TEST(ResponseAnswer, that_the_length_cut_is_incomplete) {
  Answer answer({}, true);
  answer.take_whole(json::parse_object(R"({"choices":[{"message":{"content":"Hi"},"finish_reason":"length"}],
    "usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}})")
                        .value());
  EXPECT_EQ(types_in(answer.finish()).substr(0, 11), "output_item");
  const auto response = answer.response();
  EXPECT_EQ(response.at("status"), json::value("incomplete"));
  EXPECT_EQ(response.at("incomplete_details").at("reason"), json::value("max_output_tokens"));
  EXPECT_EQ(response.at("usage").at("total_tokens"), json::value(6));
}

TEST(ResponseAnswer, tells_a_failure_with_what_there_was) {
  Answer answer({}, true);
  EXPECT_FALSE(answer.take_chunk(chunk(R"({"content":"Hi"})")).empty());
  const auto last = answer.fail({Code::upstream_failed, "the worker was killed"});
  EXPECT_NE(types_in(last).find("failed "), std::string::npos);
  EXPECT_EQ(answer.response().at("error").at("message"), json::value("the worker was killed"));
  EXPECT_EQ(answer.response().at("output").at(0).at("content").at(0).at("text"), json::value("Hi"));
}

}  // namespace
}  // namespace puna::api::openai::responses
