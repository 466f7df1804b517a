#include "os/line_child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/temporary_folder.h"

namespace puna::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LineChildTest : public testing::Test {
 protected:
  LineChild shell(std::string script) { return {.argv = {"/bin/sh", "-c", std::move(script)}, .log = folder_.path() / "log"}; }
  Result<ExitStatus> run(const LineChild& child) {
    return run_line_child(child, [&](std::string_view line) { hear(line); }, stop_.get_token());
  }
  void hear(std::string_view line) {
    lines_.emplace_back(line);
    if (line == "stop me") stop_.request_stop();
  }

  TemporaryFolder folder_ = TemporaryFolder::create().value();
  std::stop_source stop_;
  std::vector<std::string> lines_;
};

TEST_F(LineChildTest, every_line_is_heard_and_the_end_is_told) {
  const auto exit = run(shell("echo one; echo two; echo trouble >&2; exit 3"));
  ASSERT_TRUE(exit) << exit.error().text();
  EXPECT_EQ(exit->code, 3);
  EXPECT_THAT(lines_, ElementsAre("one", "two"));
  EXPECT_EQ(last_line_of(folder_.path() / "log"), "trouble");
}

TEST_F(LineChildTest, a_stop_ends_a_child_without_grace_at_once) {
  const auto exit = run(shell("echo stop me; exec sleep 600"));
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, Code::cancelled);
}

TEST_F(LineChildTest, a_child_with_grace_may_say_last_words) {
  auto child = shell("trap 'echo saved; exit 0' TERM; echo stop me; while :; do sleep 0.05; done");
  child.grace = std::chrono::minutes(1);
  const auto exit = run(child);
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, Code::cancelled);
  EXPECT_THAT(lines_, ElementsAre("stop me", "saved"));
}

TEST_F(LineChildTest, grace_ends) {
  auto child = shell("trap '' TERM; echo stop me; while :; do sleep 0.05; done");
  child.grace = Milliseconds(200);
  EXPECT_EQ(run(child).error().code, Code::cancelled);
}

TEST_F(LineChildTest, silence_and_lines_without_end_are_not_borne) {
  auto silent = shell("exec sleep 600");
  silent.silence = Milliseconds(50);
  EXPECT_EQ(run(silent).error().code, Code::deadline_exceeded);
  auto endless = shell("head -c 4000 /dev/zero; exec sleep 600");
  endless.longest_line = kib(1);
  EXPECT_THAT(run(endless).error().message, HasSubstr("without end"));
}

TEST_F(LineChildTest, an_end_without_a_word_is_laid_to_memory_when_it_came_from_outside) {
  const auto log = folder_.path() / "log";
  EXPECT_EQ(unexplained_end(*run(shell("kill -9 $$")), log, "the work").code, Code::out_of_memory);
  const auto died = unexplained_end(*run(shell("echo it broke >&2; exit 3")), log, "the work");
  EXPECT_EQ(died.code, Code::upstream_failed);
  EXPECT_THAT(died.message, testing::AllOf(HasSubstr("the work did not survive it"), HasSubstr("it broke")));
}

}  // namespace
}  // namespace puna::os
