#include "hub/transfer/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::hub::transfer {
namespace {

using Kind = Answer::Kind;
using testing::HasSubstr;

const Question kMiddle{.span = {100, 200}, .version = {.total = 1000}};

Kind kind_of(const Question& question, int status, const net::Headers& headers) {
  return judge(question, status, headers).value().kind;
}

TEST(Judge, takes_the_part_that_was_asked_for) {
  const auto answer = judge(kMiddle, 206, {{"Content-Range", "bytes 100-199/1000"}, {"ETag", "\"a\""}}).value();
  EXPECT_EQ(answer.kind, Kind::part);
  EXPECT_EQ(answer.span, (Span{100, 200}));
  EXPECT_EQ(answer.version, (FileVersion{.etag = "\"a\"", .total = 1000}));
}

TEST(Judge, a_part_may_end_early) {
  const auto answer = judge(kMiddle, 206, {{"Content-Range", "bytes 100-149/1000"}}).value();
  EXPECT_EQ(answer.kind, Kind::part);
  EXPECT_EQ(answer.span, (Span{100, 150}));
}

TEST(Judge, a_part_with_status_200_is_a_part) {
  EXPECT_EQ(kind_of(kMiddle, 200, {{"Content-Range", "bytes 100-199/1000"}}), Kind::part);
}

TEST(Judge, a_part_from_elsewhere_is_misplaced) {
  EXPECT_EQ(kind_of(kMiddle, 206, {{"Content-Range", "bytes 0-199/1000"}}), Kind::misplaced);
  EXPECT_EQ(kind_of(kMiddle, 206, {}), Kind::misplaced);
  for (const auto* range : {"bytes 100-1000/1000", "bytes 199-100/1000", "items 100-199/1000", "bytes 100/1000", "bytes x-y/z"})
    EXPECT_EQ(kind_of(kMiddle, 206, {{"Content-Range", range}}), Kind::misplaced) << range;
}

TEST(Judge, another_size_is_another_file) {
  EXPECT_EQ(kind_of(kMiddle, 206, {{"Content-Range", "bytes 100-199/1001"}}), Kind::changed);
  EXPECT_EQ(kind_of(kMiddle, 200, {{"Content-Length", "1001"}}), Kind::changed);
  EXPECT_EQ(kind_of(kMiddle, 416, {{"Content-Range", "bytes */90"}}), Kind::changed);
}

TEST(Judge, validators_count_when_nothing_else_binds_the_bytes) {
  Question bound = kMiddle;
  bound.version.etag = "\"a\"";
  const net::Headers other{{"Content-Range", "bytes 100-199/1000"}, {"ETag", "\"b\""}};
  EXPECT_EQ(kind_of(bound, 206, other), Kind::part) << "a digest will tell";
  bound.bound = true;
  EXPECT_EQ(kind_of(bound, 206, other), Kind::changed);
  EXPECT_EQ(kind_of(bound, 206, {{"Content-Range", "bytes 100-199/1000"}, {"ETag", "W/\"a\""}}), Kind::part);
}

TEST(Judge, the_whole_file_may_come_instead) {
  const auto answer = judge(kMiddle, 200, {{"Content-Length", "1000"}}).value();
  EXPECT_EQ(answer.kind, Kind::whole);
  EXPECT_EQ(answer.span, (Span{0, 1000}));
  EXPECT_EQ(judge({.span = {0, 10}}, 200, {}).value().version.total, std::nullopt);
}

TEST(Judge, nothing_follows_the_last_byte) {
  EXPECT_EQ(kind_of({.span = {100, 110}}, 416, {{"Content-Range", "bytes */100"}}), Kind::end);
  EXPECT_EQ(kind_of({.span = {0, 10}}, 416, {{"Content-Range", "bytes */0"}}), Kind::end);
  EXPECT_EQ(kind_of({.span = {0, 10}}, 416, {}), Kind::misplaced);
}

TEST(Judge, refuses_what_is_no_plain_file) {
  const auto refusal = [](int status, const net::Headers& headers) { return judge(kMiddle, status, headers).error().message; };
  EXPECT_THAT(refusal(206, {{"Content-Encoding", "gzip"}}), HasSubstr("encoding 'gzip'"));
  EXPECT_THAT(refusal(206, {{"Content-Type", "multipart/byteranges; boundary=x"}}), HasSubstr("several parts"));
  EXPECT_THAT(refusal(204, {}), HasSubstr("status 204"));
  EXPECT_THAT(refusal(200, {{"Content-Length", "1000"}, {"Content-Length", "5"}}), HasSubstr("two different lengths"));
  EXPECT_THAT(refusal(206, {{"Content-Range", "bytes 100-199/1000"}, {"Content-Length", "7"}}), HasSubstr("7 bytes for a range of 100"));
}

// ledger: D14
TEST(RefuseImpostor, knows_what_servers_send_in_place_of_a_file) {
  const auto refusal = [](std::string_view beginning, std::string_view type) {
    const auto refused = refuse_impostor("o/r/model.gguf", beginning, type);
    return refused ? "" : refused.error().message;
  };
  EXPECT_THAT(refusal("\n <!DOCTYPE html><title>", ""), HasSubstr("a web page"));
  EXPECT_THAT(refusal("Please log in", "text/html; charset=utf-8"), HasSubstr("a web page (text/html"));
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0", ""), HasSubstr("LFS pointer"));
  EXPECT_THAT(refusal("{\"error\":\"no\"}", ""), HasSubstr("JSON"));
  EXPECT_THAT(refusal("<?xml version=\"1.0\"?><Error>", "application/xml"), HasSubstr("XML"));
  EXPECT_EQ(refusal("GGUF\x03", "application/octet-stream"), "");
  EXPECT_EQ(refusal("GGUF\x03", "application/json"), "") << "servers know little about types";
}

TEST(RefuseImpostor, a_page_may_be_what_is_wanted) {
  EXPECT_TRUE(refuse_impostor("o/r/index.html", "<!doctype html>", "text/html"));
  EXPECT_TRUE(refuse_impostor("o/r/config.json", "{\"error_rate\": 1}", "application/json"));
}

}  // namespace
}  // namespace puna::hub::transfer
