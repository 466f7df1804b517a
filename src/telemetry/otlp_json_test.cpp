#include "telemetry/otlp_json.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace puna::telemetry {
namespace {

Span example() {
  return {.trace = {0x5b, 0x8e, 0xfd, 0xf7},
          .id = {0xee, 0xe1},
          .parent = SpanId{0xee, 0xe2},
          .state = "",
          .name = "chat",
          .kind = SpanKind::server,
          .begin = WallTime(std::chrono::nanoseconds(1544712660000000000)),
          .end = WallTime(std::chrono::nanoseconds(1544712661000000001)),
          .attributes = {{"number", std::int64_t{9007199254740993}}, {"text", "say \"hi\""}, {"list", std::vector<std::string>{"stop"}}}};
}

TEST(OtlpJson, is_as_the_protocol_maps_it) {
  const auto body = otlp_json({{"service.name", "puna"}}, std::vector{example()});
  const std::string expected =
      R"({"traceId":"5b8efdf7000000000000000000000000","spanId":"eee1000000000000","parentSpanId":"eee2000000000000","name":"chat",)"
      R"("kind":2,"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000001","attributes":)"
      R"([{"key":"number","value":{"intValue":"9007199254740993"}},{"key":"text","value":{"stringValue":"say \"hi\""}},)"
      R"({"key":"list","value":{"arrayValue":{"values":[{"stringValue":"stop"}]}}}]})";
  EXPECT_NE(body.find(expected), std::string::npos) << body;
  EXPECT_TRUE(body.starts_with(R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"puna"}}]},)"))
      << body;
}

TEST(OtlpJson, says_nothing_of_what_there_is_not) {
  auto span = example();
  span.parent.reset();
  const auto body = otlp_json({}, std::vector{span});
  for (const auto* absent : {"parentSpanId", "traceState", "status"}) EXPECT_EQ(body.find(absent), std::string::npos) << absent;
  span.failed = true;
  span.state = "a=1";
  const auto failed = otlp_json({}, std::vector{span});
  EXPECT_NE(failed.find(R"("status":{"code":2})"), std::string::npos) << failed;
  EXPECT_NE(failed.find(R"("traceState":"a=1")"), std::string::npos) << failed;
}

TEST(OtlpJson, stays_json_whatever_a_name_holds) {
  auto span = example();
  span.name = "\xff\x1b[31m\"";
  EXPECT_TRUE(json::parse_object(otlp_json({}, std::vector{span})));
}

TEST(OtlpJson, tells_of_spans_that_a_collector_did_not_want) {
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}})"), 3);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":3}})"), 3);
  for (const auto* none : {"", "{}", R"({"partialSuccess":{}})", R"({"partialSuccess":7})", "<html>"}) EXPECT_EQ(rejected_spans(none), 0);
}

}  // namespace
}  // namespace puna::telemetry
