#include "api/engine_usage.h"

#include <gtest/gtest.h>

namespace puna::api {
namespace {

constexpr std::string_view kTimings =
    R"("timings":{"cache_n":90,"prompt_n":10,"prompt_ms":12.5,"predicted_n":7,"predicted_ms":70.0,"draft_n":3})";

TEST(EngineUsage, is_found_at_the_end_of_a_stream_that_is_cut_anywhere) {
  std::string stream = "data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(10'000, 'x') + "\"}}]}\n\n";
  stream += "data: {\"choices\":[]," + std::string(kTimings) + "}\n\ndata: [DONE]\n\n";
  UsageReader reader;
  for (std::size_t at = 0; at < stream.size(); at += 7) reader.feed(std::string_view(stream).substr(at, 7));
  const auto usage = reader.usage();
  EXPECT_TRUE(usage.exact);
  EXPECT_EQ(usage.prompt_tokens, 100);
  EXPECT_EQ(usage.cached_tokens, 90);
  EXPECT_EQ(usage.completion_tokens, 7);
  EXPECT_EQ(usage.prompt_ms, 12.5);
}

TEST(EngineUsage, has_the_reasons_why_choices_ended) {
  UsageReader stream, whole;
  stream.feed("data: {\"choices\":[{\"delta\":{\"content\":\"\\\"finish_reason\\\":\\\"no\"},\"finish_reason\":null}]}\n\n");
  stream.feed("data: {\"choices\":[{\"index\":0,\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n");
  whole.whole(R"({"choices":[{"finish_reason":"stop"},{"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1}})");
  EXPECT_EQ(stream.usage().finish_reasons, std::vector<std::string>{"length"});
  EXPECT_EQ(whole.usage().finish_reasons, (std::vector<std::string>{"stop", "tool_calls"}));
}

TEST(EngineUsage, of_a_cut_stream_is_the_number_of_its_events) {
  UsageReader reader;
  reader.feed("data: {\"choices\":[]}\n\ndata: {\"cho");
  reader.feed("ices\":[]}\n\n");
  EXPECT_FALSE(reader.usage().exact);
  EXPECT_EQ(reader.usage().completion_tokens, 2);
}

TEST(EngineUsage, of_a_whole_answer_is_what_its_usage_says_and_no_text_can_pretend_to_be_it) {
  UsageReader reader;
  reader.whole(
      R"({"usage":{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":3},"total_tokens":5},"text":"\"usage\":{\"prompt_tokens\":9}"})");
  EXPECT_EQ(reader.usage().prompt_tokens, 5);
  EXPECT_EQ(reader.usage().cached_tokens, 3);
}

}  // namespace
}  // namespace puna::api
