#include "net/ndjson.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::net {
namespace {

using testing::ElementsAre;

TEST(NdjsonParser, reads_the_same_values_however_the_stream_is_cut) {
  const std::string_view stream = "{\"a\":1}\n\n[2]\r\n\"three\"";
  for (std::size_t piece : {1UZ, 3UZ, 100UZ}) {
    NdjsonParser parser;
    std::vector<std::string> values;
    const auto sink = [&](const json::value& value) { values.push_back(json::to_text(value)); };
    for (std::size_t at = 0; at < stream.size(); at += piece) ASSERT_TRUE(parser.feed(stream.substr(at, piece), sink));
    ASSERT_TRUE(parser.finish(sink));
    EXPECT_THAT(values, ElementsAre("{\"a\":1}", "[2]", "\"three\""));
  }
}

TEST(NdjsonParser, names_the_line_that_is_not_json) {
  NdjsonParser parser;
  const auto refused = parser.feed("1\n2\n{oops\n", [](const json::value&) {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("line 3 of the JSON stream"));
}

TEST(NdjsonParser, refuses_a_line_beyond_its_limit) {
  NdjsonParser parser(Bytes(8));
  const auto ignore = [](const json::value&) {};
  ASSERT_TRUE(parser.feed("[1,2,3]\n[1,", ignore));
  EXPECT_EQ(parser.feed("2,3,4,5]", ignore).error().code, Code::too_large);
}

TEST(NdjsonLine, is_one_line_however_its_text_breaks) {
  EXPECT_EQ(ndjson_line(json::object{{"a", "x\ny"}}), "{\"a\":\"x\\ny\"}\n");
}

}  // namespace
}  // namespace puna::net
