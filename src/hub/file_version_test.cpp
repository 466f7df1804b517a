#include "hub/file_version.h"

#include <gtest/gtest.h>

namespace puna::hub {
namespace {

using Kind = RangeAnswer::Kind;

const FileVersion kHere{.etag = "\"a\"", .last_modified = {}, .total = 100};

RangeAnswer answer_to(std::uint64_t from, int status, const net::Headers& headers) {
  return judge({.from = from, .version = from > 0 ? kHere : FileVersion{}}, status, headers).value();
}

TEST(FileVersion, goes_on_where_the_question_asked) {
  const auto answer = answer_to(40, 206, {{"Content-Range", "bytes 40-99/100"}, {"ETag", "\"a\""}});
  EXPECT_EQ(answer.kind, Kind::rest);
  EXPECT_EQ(answer.length, 60u);
  EXPECT_EQ(answer.version, kHere);
}

TEST(FileVersion, trusts_a_content_range_more_than_status_200) {
  EXPECT_EQ(answer_to(40, 200, {{"Content-Range", "bytes 40-99/100"}, {"ETag", "\"a\""}}).kind, Kind::rest);
}

TEST(FileVersion, takes_a_200_for_the_whole_file) {
  const auto answer = answer_to(40, 200, {{"Content-Length", "120"}, {"ETag", "\"b\""}});
  EXPECT_EQ(answer.kind, Kind::whole);
  EXPECT_EQ(answer.version.total, 120u);
}

// ledger: D14
TEST(FileVersion, never_mixes_two_states_of_a_file) {
  EXPECT_EQ(answer_to(40, 206, {{"Content-Range", "bytes 40-99/100"}, {"ETag", "\"b\""}}).kind, Kind::changed);
  EXPECT_EQ(answer_to(40, 206, {{"Content-Range", "bytes 40-119/120"}, {"ETag", "\"a\""}}).kind, Kind::changed);
  EXPECT_EQ(answer_to(40, 416, {{"Content-Range", "bytes */30"}}).kind, Kind::changed);
}

TEST(FileVersion, does_not_trust_a_range_that_was_not_asked_for) {
  for (const auto* range : {"bytes 0-99/100", "bytes 41-99/100", "bytes 40-100/100", "bytes 50-40/100", "bytes 40-/100", "items 40-99/100"})
    EXPECT_EQ(answer_to(40, 206, {{"Content-Range", range}, {"ETag", "\"a\""}}).kind, Kind::unusable) << range;
  EXPECT_EQ(answer_to(40, 206, {{"Content-Type", "multipart/byteranges; boundary=x"}}).kind, Kind::unusable);
  EXPECT_EQ(judge({.ranged = false}, 206, {{"Content-Range", "bytes 0-99/100"}})->kind, Kind::unusable);
}

TEST(FileVersion, takes_a_416_at_the_end_for_completeness) {
  EXPECT_EQ(answer_to(100, 416, {{"Content-Range", "bytes */100"}}).kind, Kind::complete);
  EXPECT_EQ(answer_to(100, 416, {}).kind, Kind::unusable);
  EXPECT_EQ(answer_to(0, 416, {{"Content-Range", "bytes */0"}}).kind, Kind::complete);
  EXPECT_EQ(answer_to(0, 416, {{"Content-Range", "bytes */100"}}).kind, Kind::unusable);
}

TEST(FileVersion, asks_again_only_with_a_validator_that_tells_states_apart) {
  EXPECT_EQ((FileVersion{.etag = "\"a\"", .last_modified = "Thu"}.range_validator()), "\"a\"");
  EXPECT_EQ((FileVersion{.etag = "W/\"a\"", .last_modified = "Thu"}.range_validator()), "Thu");
  EXPECT_EQ((FileVersion{.etag = "W/\"a\""}.range_validator()), std::nullopt);
}

TEST(FileVersion, refuses_answers_without_a_file) {
  EXPECT_EQ(judge({}, 204, {}).error().code, Code::upstream_failed);
  EXPECT_EQ(judge({}, 200, {{"Content-Encoding", "gzip"}}).error().code, Code::upstream_failed);
  EXPECT_EQ(judge({}, 304, {})->kind, Kind::unchanged);
}

}  // namespace
}  // namespace puna::hub
