#include "base/secret.h"

#include <gtest/gtest.h>

namespace puna {
namespace {

TEST(Secret, moving_leaves_nothing_behind) {
  Secret from(std::string("correct horse"));
  const Secret to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): the promise under test
  EXPECT_EQ(to.reveal(), "correct horse");
}

TEST(Secret, redaction_masks_credentials_and_leaves_the_rest) {
  EXPECT_EQ(redact("get https://u:p@host:8/x?y=1"), "get https://***@host:8/x?y=1");
  EXPECT_EQ(redact("Authorization: Bearer abc.def-ghi next"), "Authorization: Bearer *** next");
  EXPECT_EQ(redact("key sk-0123456789abcdef."), "key ***");
  EXPECT_EQ(redact("mask-making, hf_ alone, user@host"), "mask-making, hf_ alone, user@host");
  EXPECT_EQ(redact(""), "");
}

}  // namespace
}  // namespace puna
