#include "api/context_exchange.h"

#include <gtest/gtest.h>

namespace puna::api {
namespace {

const wire::Dropped kDropped{.dropped_messages = 4, .dropped_tokens = 812, .strategy = "shift"};
constexpr std::string_view kMember = R"("puna":{"dropped_messages":4,"dropped_tokens":812,"strategy":"shift"})";

TEST(Dropped, is_told_in_a_header_and_in_the_body) {
  net::Headers headers;
  tell_dropped(headers, kDropped);
  EXPECT_EQ(headers.get("X-Puna-Dropped"), "messages=4, tokens=812, strategy=shift");
  EXPECT_EQ(tell_dropped(R"({"id":"x"})", kDropped), fmt::format(R"({{"id":"x",{}}})", kMember));
  EXPECT_EQ(tell_dropped("no object", kDropped), "no object");
}

TEST(Dropped, is_told_in_the_last_chunk_of_a_stream_however_it_is_cut) {
  const std::string stream =
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":null}]}\n\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
      "data: [DONE]\n\n";
  DroppedTeller teller(kDropped);
  std::string told;
  for (const char byte : stream) told += teller.feed({&byte, 1}).value();
  EXPECT_EQ(told, fmt::format("data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":null}}]}}\n\n"
                              "data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"stop\"}}],{}}}\n\ndata: [DONE]\n\n",
                              kMember));
}

TEST(Dropped, is_told_where_anthropics_and_ollamas_streams_say_how_they_ended) {
  EXPECT_EQ(tell_dropped_in_stream("event: message_delta\ndata: {\"type\":\"message_delta\"}\n\nevent: message_stop\ndata: {\"type\":"
                                   "\"message_stop\"}\n\n",
                                   kDropped),
            fmt::format("event: message_delta\ndata: {{\"type\":\"message_delta\",{}}}\n\nevent: message_stop\ndata: {{\"type\":"
                        "\"message_stop\"}}\n\n",
                        kMember));
  EXPECT_EQ(tell_dropped_in_stream("{\"done\":false}\n{\"done\":true}\n", kDropped),
            fmt::format("{{\"done\":false}}\n{{\"done\":true,{}}}\n", kMember));
  EXPECT_EQ(tell_dropped_in_stream("", kDropped), "");
}

}  // namespace
}  // namespace puna::api
