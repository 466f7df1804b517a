#include "net/sse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::net {
namespace {

using testing::ElementsAre;

std::vector<std::string> events_of(std::string_view stream, std::size_t piece) {
  SseParser parser;
  std::vector<std::string> events;
  for (std::size_t at = 0; at < stream.size(); at += piece)
    EXPECT_TRUE(
        parser.feed(stream.substr(at, piece), [&](SseEvent event) { events.push_back(event.event + "|" + event.id + "|" + event.data); }));
  return events;
}

TEST(SseParser, reads_the_same_events_however_the_stream_is_cut) {
  const std::string_view stream =
      "\xEF\xBB\xBF: hello\n\nevent: delta\r\nid: 7\r\ndata: one\r\ndata:two\r\n\r\ndata\rdata: \r\rid\ndata:  x\n\nignored: y\nevent: "
      "none\n\ndata: mixed\r\n\ndata: cut";
  for (std::size_t piece : {1UZ, 2UZ, 3UZ, 7UZ, 1000UZ})
    EXPECT_THAT(events_of(stream, piece), ElementsAre("delta|7|one\ntwo", "|7|\n", "|| x", "||mixed"));
}

TEST(SseParser, keeps_the_reconnection_time_and_the_last_id) {
  SseParser parser;
  ASSERT_TRUE(parser.feed("retry: 250\nretry: x\nid: 4\n\n", [](const SseEvent&) {}));
  EXPECT_EQ(parser.retry(), Milliseconds(250));
  EXPECT_EQ(parser.last_id(), "4");
}

TEST(SseParser, refuses_an_event_beyond_its_limit) {
  SseParser parser(Bytes(32));
  const auto ignore = [](const SseEvent&) {};
  ASSERT_TRUE(parser.feed("data: small\n\n", ignore));
  const auto refused = parser.feed("data: " + std::string(40, 'x'), ignore);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::too_large);
}

TEST(SseFrame, is_read_back_as_it_was_written) {
  EXPECT_EQ(sse_frame("job", "9", "a\nb"), "event: job\nid: 9\ndata: a\ndata: b\n\n");
  EXPECT_EQ(sse_frame("", "", ""), "data: \n\n");
  EXPECT_THAT(events_of(sse_frame("job", "9", "a\n\nb") + std::string(kSsePing), 5), ElementsAre("job|9|a\n\nb"));
}

}  // namespace
}  // namespace puna::net
