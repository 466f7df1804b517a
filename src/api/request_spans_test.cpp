#include "api/request_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::api {
namespace {

using namespace std::chrono_literals;
using telemetry::Span;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

const MonotonicTime kArrived = MonotonicTime(1h);
using Attribute = std::pair<std::string, telemetry::AttributeValue>;

InferenceEnd answered() {
  return {.model = "qwen2.5:7b",
          .asked = "qwen2.5",
          .target = "/v1/chat/completions",
          .stream = true,
          .usage = {.prompt_tokens = 12, .cached_tokens = 4, .completion_tokens = 7, .finish_reasons = {"stop"}, .exact = true},
          .when = {.arrived = kArrived, .slot = kArrived + 10ms, .first_byte = kArrived + 30ms, .ended = kArrived + 100ms},
          .trace = telemetry::Trace::begin({}, ManualClock())};
}

// "queue 10", "load 5": what below the inference took how many milliseconds.
std::vector<std::string> phases(const InferenceEnd& end) {
  std::vector<std::string> out;
  const auto spans = inference_spans(end);
  for (auto span = spans.begin() + 1; span != spans.end(); ++span) {
    EXPECT_EQ(span->parent, spans.front().id);
    EXPECT_EQ(span->trace, spans.front().trace);
    out.push_back(fmt::format("{} {}", span->name, std::chrono::duration_cast<Milliseconds>(span->end - span->begin).count()));
  }
  return out;
}

TEST(InferenceSpans, say_what_generative_ai_is_asked_by_convention) {
  const auto span = inference_spans(answered()).front();
  EXPECT_EQ(span.name, "chat qwen2.5:7b");
  for (const auto& wanted : {Attribute("gen_ai.operation.name", "chat"), Attribute("gen_ai.request.model", "qwen2.5"),
                             Attribute("gen_ai.response.model", "qwen2.5:7b"), Attribute("gen_ai.usage.input_tokens", std::int64_t{12}),
                             Attribute("gen_ai.usage.output_tokens", std::int64_t{7}),
                             Attribute("gen_ai.response.finish_reasons", std::vector<std::string>{"stop"})})
    EXPECT_THAT(span.attributes, Contains(wanted));
  EXPECT_FALSE(span.failed);
}

TEST(InferenceSpans, tell_where_a_stream_spent_its_time) {
  EXPECT_THAT(phases(answered()), ElementsAre("queue 10", "prefill 20", "generate 70"));
}

TEST(InferenceSpans, tell_the_load_that_was_waited_for_apart_from_the_queue) {
  auto end = answered();
  end.when.load = {kArrived + 2ms, kArrived + 9ms};
  EXPECT_THAT(phases(end), ElementsAre("queue 2", "load 7", "queue 1", "prefill 20", "generate 70"));
  end.when.load = {kArrived - 5ms, kArrived + 10ms};
  EXPECT_THAT(phases(end), ElementsAre("load 10", "prefill 20", "generate 70")) << "it had begun before";
  end.when.load = {kArrived - 5ms, kArrived - 1ms};
  EXPECT_THAT(phases(end), ElementsAre("queue 10", "prefill 20", "generate 70")) << "it was over";
}

TEST(InferenceSpans, of_a_whole_answer_take_the_engines_word) {
  auto end = answered();
  end.stream = false;
  end.when.first_byte = end.when.ended;
  EXPECT_THAT(phases(end), ElementsAre("queue 10", "generate 90")) << "another engine tells no times";
  end.usage.completion_ms = 60;
  EXPECT_THAT(phases(end), ElementsAre("queue 10", "prefill 30", "generate 60"));
  end.usage.completion_ms = 1e6;
  EXPECT_THAT(phases(end), ElementsAre("queue 10", "generate 90")) << "never before it had the model";
}

TEST(InferenceSpans, of_embeddings_have_nothing_to_generate) {
  auto end = answered();
  end.target = "/v1/embeddings";
  EXPECT_THAT(phases(end), ElementsAre("queue 10", "prefill 90"));
}

TEST(InferenceSpans, of_a_failure_name_its_kind_and_of_a_refusal_no_fault_of_ours) {
  auto end = answered();
  end.when.slot.reset();
  end.outcome = InferenceOutcome::refused;
  end.error = Error(Code::not_found, "no model is called 'tell me a secret'");
  end.model = end.asked = "tell me a secret";
  const auto refused = inference_spans(end).front();
  EXPECT_EQ(refused.name, "chat") << "what a client sends as a name may be anything";
  EXPECT_THAT(refused.attributes, Contains(Attribute("error.type", "not_found")));
  EXPECT_THAT(refused.attributes, Not(Contains(testing::Key("gen_ai.request.model"))));
  EXPECT_FALSE(refused.failed);
  EXPECT_THAT(phases(end), ElementsAre("queue 100"));
  end.outcome = InferenceOutcome::failed;
  EXPECT_TRUE(inference_spans(end).front().failed);
}

TEST(RequestSpan, is_a_servers_as_the_convention_has_it) {
  const auto trace = telemetry::Trace::begin({}, ManualClock());
  const RequestEnd end{.method = "POST", .route = "/v1/chat/completions", .path = "/v1/chat/completions", .status = 200, .id = "req_1"};
  const auto span = request_span(trace, end);
  EXPECT_EQ(span.name, "POST /v1/chat/completions");
  EXPECT_EQ(span.kind, telemetry::SpanKind::server);
  EXPECT_THAT(span.attributes, Contains(Attribute("http.response.status_code", std::int64_t{200})));
  EXPECT_FALSE(span.failed);
  auto failed = end;
  failed.status = 503;
  EXPECT_TRUE(request_span(trace, failed).failed);
  EXPECT_THAT(request_span(trace, failed).attributes, Contains(Attribute("error.type", "503")));
}

TEST(RequestSpan, has_no_words_of_a_stranger_where_no_route_was_found) {
  const auto span = request_span(telemetry::Trace::begin({}, ManualClock()), {.method = "HACK", .path = "/secret", .status = 404});
  EXPECT_EQ(span.name, "_OTHER");
  EXPECT_THAT(span.attributes, Not(Contains(testing::Key("url.path"))));
}

}  // namespace
}  // namespace puna::api
