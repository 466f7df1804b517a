#include "api/ollama/rendering.h"

#include <gtest/gtest.h>

#include "net/ndjson.h"

namespace puna::api::ollama {
namespace {

json::object object(std::string_view text) {
  return json::parse_object(text).value();
}

std::unique_ptr<Rendering> begun(Expectations expectations) {
  auto rendering = answer_rendering(std::move(expectations));
  rendering->begin({.model = "m:latest", .request_id = "R1", .arrived = std::chrono::steady_clock::now(), .waited = Milliseconds(5)});
  return rendering;
}

std::vector<json::object> lines(std::string_view bytes) {
  std::vector<json::object> out;
  net::NdjsonParser parser;
  EXPECT_TRUE(parser.feed(bytes, [&](json::value line) { out.push_back(line.as_object()); }));
  return out;
}

TEST(OllamaRendering, words_and_thinking_are_lines_and_calls_come_whole) {
  const auto rendering = begun({.style = Style::chat, .model = "m"});
  std::string bytes;
  for (const auto* delta : {R"({"role":"assistant","content":null})", R"({"reasoning_content":"hm"})", R"({"content":"a"})",
                            R"({"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{\"n\""}}]})",
                            R"({"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]})"})
    bytes += rendering->chunk(object(fmt::format(R"({{"choices":[{{"delta":{}}}]}})", delta))).value();
  bytes +=
      rendering
          ->chunk(object(
              R"({"choices":[{"delta":{},"finish_reason":"tool_calls"}],"timings":{"prompt_n":4,"predicted_n":2,"predicted_ms":1.5}})"))
          .value();
  bytes += rendering->finish();
  const auto told = lines(bytes);
  ASSERT_EQ(told.size(), 4U);
  EXPECT_EQ(json::to_text(told[0].at("message")), R"({"role":"assistant","content":"","thinking":"hm"})");
  EXPECT_EQ(json::to_text(told[1].at("message")), R"({"role":"assistant","content":"a"})");
  EXPECT_EQ(json::to_text(told[2].at("message").at("tool_calls").at(0).at("function")), R"({"index":0,"name":"f","arguments":{"n":1}})");
  EXPECT_EQ(told[3].at("done_reason"), "stop");
  EXPECT_EQ(told[3].at("eval_duration"), 1'500'000);
  EXPECT_EQ(told[3].at("load_duration"), 5'000'000);
  EXPECT_EQ(told[3].at("prompt_eval_count"), 4);
}

TEST(OllamaRendering, a_gap_is_filled_from_the_engines_own_shape) {
  const auto rendering = begun({.style = Style::infill, .model = "m"});
  const auto response = rendering->whole(object(R"({"content":"x + 1","stop":true,"stop_type":"limit","timings":{"predicted_n":3}})"));
  const auto body = object(response.value().body);
  EXPECT_EQ(body.at("response"), "x + 1");
  EXPECT_EQ(body.at("done_reason"), "length");
  EXPECT_EQ(body.at("eval_count"), 3);
}

TEST(OllamaRendering, a_cut_stream_ends_with_an_error_line_and_never_as_if_it_were_done) {
  const auto rendering = begun({.style = Style::generate, .model = "m"});
  EXPECT_EQ(rendering->failure(Error(Code::upstream_failed, "the worker crashed")), "{\"error\":\"the worker crashed\"}\n");
  EXPECT_EQ(lines(rendering->finish())[0].at("error"), "the engine's answer ended early");
}

TEST(OllamaRendering, shortened_vectors_keep_their_length) {
  const auto rendering = embedding_rendering(Endpoint::embed, "m", 2);
  rendering->begin({.model = "m", .request_id = "", .arrived = {}});
  const auto body = object(rendering->whole(object(R"({"data":[{"embedding":[0.6,0.0,0.8]}],"usage":{"prompt_tokens":3}})"))->body);
  EXPECT_EQ(json::to_text(body.at("embeddings")), "[[1,0]]");
  EXPECT_EQ(body.at("prompt_eval_count"), 3);
}

}  // namespace
}  // namespace puna::api::ollama
