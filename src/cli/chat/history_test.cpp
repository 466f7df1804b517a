#include "cli/chat/history.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::cli {
namespace {

class History : public testing::Test {
 protected:
  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path file_ = folder_.path() / "chat_history";
};

TEST_F(History, outlives_the_chat_with_its_line_breaks) {
  auto history = InputHistory::open(file_);
  ASSERT_TRUE(history) << history.error().text();
  ASSERT_TRUE(history->add("hello"));
  ASSERT_TRUE(history->add("two\nlines"));
  EXPECT_EQ(InputHistory::open(file_)->entries(), (std::vector<std::string>{"hello", "two\nlines"}));
}

TEST_F(History, is_for_its_owner_alone) {
  ASSERT_TRUE(InputHistory::open(file_)->add("secret"));
  struct stat info{};
  ASSERT_EQ(::stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(History, keeps_no_blanks_and_no_repetition) {
  auto history = InputHistory::open(file_);
  for (const auto* text : {"a", "a", "  ", "b", "a"}) ASSERT_TRUE(history->add(text));
  EXPECT_EQ(history->entries(), (std::vector<std::string>{"a", "b", "a"}));
}

TEST_F(History, keeps_the_newest_and_the_file_bounded) {
  auto history = InputHistory::open(file_, 2);
  for (const auto* text : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(history->add(text));
  EXPECT_EQ(InputHistory::open(file_, 2)->entries(), (std::vector<std::string>{"d", "e"}));
  EXPECT_EQ(os::read_file(file_, kib(1)).value_or(""), "\"d\"\n\"e\"\n");
}

TEST_F(History, passes_over_what_is_damaged) {
  ASSERT_TRUE(os::write_file_atomic(file_, "\"a\"\n{broken\n\"b\"\n"));
  EXPECT_EQ(InputHistory::open(file_)->entries(), (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace puna::cli
