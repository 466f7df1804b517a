#include "telemetry/trace.h"

#include <gtest/gtest.h>

namespace puna::telemetry {
namespace {

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

Span span_of(const Trace& trace) {
  return trace.span("work", SpanKind::internal, {}, {});
}
Trace begin(std::initializer_list<std::pair<std::string_view, std::string_view>> headers) {
  return Trace::begin(net::Headers(headers), ManualClock());
}

TEST(Trace, stands_below_what_its_request_names) {
  const auto span = span_of(begin({{"traceparent", kParent}}));
  EXPECT_EQ(hex(span.trace), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(hex(span.parent.value()), "00f067aa0ba902b7");
  EXPECT_NE(hex(span.id), "00f067aa0ba902b7");
}

TEST(Trace, is_one_of_its_own_when_the_request_names_none_or_wrongly) {
  EXPECT_NE(span_of(begin({})).trace, span_of(begin({})).trace);
  for (const auto* wrong :
       {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"}) {
    const auto trace = begin({{"traceparent", wrong}});
    EXPECT_FALSE(span_of(trace).parent) << wrong;
    EXPECT_TRUE(trace.sampled()) << wrong;
  }
  EXPECT_FALSE(span_of(begin({{"traceparent", kParent}, {"traceparent", kParent}})).parent) << "two are none";
}

TEST(Trace, reads_later_versions_as_far_as_it_knows_them) {
  EXPECT_TRUE(span_of(begin({{"traceparent", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"}})).parent);
}

TEST(Trace, that_is_not_recorded_says_so_to_others) {
  const auto trace = begin({{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}, {"tracestate", "a=1"}});
  EXPECT_FALSE(trace.sampled());
  net::Headers headers;
  trace.write(headers);
  EXPECT_TRUE(headers.get("traceparent").value().ends_with("-00"));
  EXPECT_EQ(headers.get("tracestate"), "a=1");
}

TEST(Trace, goes_on_below_itself) {
  const auto above = begin({{"traceparent", kParent}, {"tracestate", "a=1"}, {"tracestate", "b=2"}});
  const auto below = above.below();
  EXPECT_EQ(span_of(below).trace, span_of(above).trace);
  EXPECT_EQ(span_of(below).parent, span_of(above).id);
  net::Headers headers;
  below.write(headers);
  EXPECT_EQ(headers.get("traceparent"), "00-4bf92f3577b34da6a3ce929d0e0e4736-" + hex(span_of(below).id) + "-01");
  EXPECT_EQ(headers.get("tracestate"), "a=1,b=2");
}

TEST(Trace, measures_its_spans_by_the_clock_of_its_beginning) {
  ManualClock clock;
  const auto began = clock.wall();
  const auto trace = Trace::begin({}, clock);
  clock.advance(std::chrono::milliseconds(250));
  const auto from = clock.monotonic();
  const auto span = trace.span("work", SpanKind::internal, from, from + std::chrono::milliseconds(5));
  EXPECT_EQ(span.begin, began + std::chrono::milliseconds(250));
  EXPECT_EQ(span.end - span.begin, std::chrono::milliseconds(5));
  EXPECT_EQ(trace.span("work", SpanKind::internal, from, {}).end, span.begin) << "nothing ends before it began";
}

}  // namespace
}  // namespace puna::telemetry
