#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace puna {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Code::invalid_argument, "odd");
  return number / 2;
}

Result<int> quarter(int number) {
  PUNA_TRY(const int once, half(number));
  PUNA_TRY(const int twice, half(once));
  return twice;
}

TEST(Error, try_passes_the_value_on_or_leaves_with_the_error) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().code, Code::invalid_argument);
}

TEST(Error, text_puts_the_outermost_context_first) {
  auto error = Error(Code::not_found, "no such file").within("reading header").within("loading model x");
  EXPECT_EQ(error.text(), "loading model x: reading header: no such file");
}

// ledger: F11
TEST(Error, every_code_has_a_name_a_status_and_an_exit_code) {
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    const auto& row = traits(static_cast<Code>(i));
    EXPECT_EQ(code_from_name(row.name), row.code);
    EXPECT_GE(row.http_status, 400);
    EXPECT_GT(row.exit_code, 0);
    EXPECT_FALSE(row.openai_type.empty());
  }
}

TEST(Error, a_system_error_says_what_failed_and_why) {
  const Error error = errno_error(ENOSPC, "writing /x/model.part");
  EXPECT_EQ(error.code, Code::disk_full);
  EXPECT_EQ(error.message, "writing /x/model.part: No space left on device");
}

}  // namespace
}  // namespace puna
