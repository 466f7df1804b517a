#include "hub/file_magic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::hub {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view beginning, std::string_view content_type = {}) {
  const auto accepted = require_gguf(beginning, content_type);
  if (accepted) return "accepted";
  EXPECT_EQ(accepted.error().code, Code::corrupt_data);
  return accepted.error().message;
}

TEST(FileMagic, accepts_a_model_file_whatever_the_server_calls_it) {
  EXPECT_TRUE(require_gguf("GGUF\3"));
  EXPECT_TRUE(require_gguf("GGUF", "text/html; charset=utf-8"));
}

// ledger: D14
TEST(FileMagic, says_what_came_instead_of_a_model) {
  EXPECT_THAT(refusal("<!DOCTYPE html>", "text/html; charset=utf-8"), HasSubstr("a web page (text/html) came"));
  EXPECT_THAT(refusal("\n <html>"), HasSubstr("a web page came"));
  EXPECT_THAT(refusal("{\"error\":", "application/json"), HasSubstr("JSON (application/json) came"));
  EXPECT_THAT(refusal("<?xml"), HasSubstr("a web page"));
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1"), HasSubstr("Git LFS pointer"));
  EXPECT_THAT(refusal("PK\3\4\x14"), HasSubstr("begins with 'PK"));
  EXPECT_EQ(refusal(""), "the file is empty");
}

TEST(FileMagic, refuses_a_beginning_that_is_too_short) {
  EXPECT_THAT(refusal("GG"), HasSubstr("no GGUF file"));
}

}  // namespace
}  // namespace puna::hub
