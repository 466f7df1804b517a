#include "net/http_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::net {
namespace {

using testing::ElementsAre;

TEST(Headers, find_names_without_regard_to_case_and_keep_their_order) {
  Headers headers{{"Set-Cookie", "a"}, {"Content-Type", "text/plain"}, {"set-cookie", "b"}};
  EXPECT_EQ(headers.get("content-TYPE"), "text/plain");
  EXPECT_THAT(headers.all("SET-COOKIE"), ElementsAre("a", "b"));
  headers.set("Set-cookie", "c");
  EXPECT_THAT(headers.all("set-cookie"), ElementsAre("c"));
  EXPECT_EQ(headers.get("missing"), std::nullopt);
}

TEST(Headers, find_tokens_in_comma_separated_lists) {
  const Headers headers{{"Connection", "keep-alive, Upgrade"}, {"Connection", "x"}};
  EXPECT_TRUE(headers.has_token("connection", "upgrade"));
  EXPECT_TRUE(headers.has_token("connection", "X"));
  EXPECT_FALSE(headers.has_token("connection", "keep"));
}

TEST(Headers, tell_names_and_values_that_would_break_a_message) {
  EXPECT_TRUE(is_header_name("X-Request-Id"));
  EXPECT_FALSE(is_header_name("X Request"));
  EXPECT_FALSE(is_header_name(""));
  EXPECT_TRUE(is_header_value("a b\tc \xC3\xBC"));
  EXPECT_FALSE(is_header_value("a\r\nSet-Cookie: b"));
  EXPECT_FALSE(is_header_value(std::string_view("a\0b", 3)));
}

template <class T>
concept gives_views =
    requires(T&& fields) { std::forward<T>(fields).get("q"); } || requires(T&& fields) { std::forward<T>(fields).all("q"); };

TEST(Fields, give_no_view_into_what_is_about_to_go) {
  static_assert(gives_views<const Headers&> && gives_views<const Query&>);
  static_assert(!gives_views<Headers> && !gives_views<Query>);
}

TEST(Query, decodes_names_and_values_and_leaves_broken_escapes_alone) {
  const auto query = Query::parse("a=1&b=x%20y+z&a=2&flag&c=50%&d=%zz&&e=%C3%BC&%66=f");
  EXPECT_THAT(query.all("a"), ElementsAre("1", "2"));
  EXPECT_EQ(query.get("b"), "x y z");
  EXPECT_EQ(query.get("flag"), "");
  EXPECT_EQ(query.get("c"), "50%");
  EXPECT_EQ(query.get("d"), "%zz");
  EXPECT_EQ(query.get("e"), "\xC3\xBC");
  EXPECT_EQ(query.get("f"), "f");
  EXPECT_EQ(query.get("x"), std::nullopt);
}

TEST(Query, writes_what_it_reads) {
  Query query;
  query.add("q", "a&b=c d%");
  query.add("n", "");
  EXPECT_EQ(query.text(), "q=a%26b%3Dc%20d%25&n=");
  const auto read = Query::parse(query.text());
  EXPECT_EQ(read.get("q"), "a&b=c d%");
}

}  // namespace
}  // namespace puna::net
