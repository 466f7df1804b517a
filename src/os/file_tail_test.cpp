#include "os/file_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <fstream>

#include "os/temporary_folder.h"

namespace puna::os {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TailedFile : public testing::Test {
 protected:
  void append(std::string_view text) const { std::ofstream(file_, std::ios::app) << text; }
  static bool told(const FileTail& tail) {
    pollfd wanted{tail.descriptor(), POLLIN, 0};
    return ::poll(&wanted, 1, 5000) == 1;
  }
  TemporaryFolder folder_ = TemporaryFolder::create().value();
  std::filesystem::path file_ = folder_.path() / "a.log";
};

TEST_F(TailedFile, begins_with_the_last_lines) {
  append("one\ntwo\nthree\n");
  auto tail = FileTail::open(file_, 2).value();
  EXPECT_THAT(tail.read().value(), ElementsAre("two", "three"));
  EXPECT_THAT(FileTail::open(file_, 9).value().read().value(), ElementsAre("one", "two", "three"));
  EXPECT_THAT(FileTail::open(file_, 0).value().read().value(), IsEmpty());
}

TEST_F(TailedFile, tells_of_further_lines_once_they_are_whole) {
  append("one\n");
  auto tail = FileTail::open(file_, 0).value();
  append("tw");
  ASSERT_TRUE(told(tail));
  EXPECT_THAT(tail.read().value(), IsEmpty());
  append("o\n");
  ASSERT_TRUE(told(tail));
  EXPECT_THAT(tail.read().value(), ElementsAre("two"));
}

TEST_F(TailedFile, follows_a_rotation_without_losing_a_line) {
  append("one\n");
  auto tail = FileTail::open(file_, 0).value();
  append("two\n");
  std::filesystem::rename(file_, folder_.path() / "a.1.log");
  append("three\n");
  ASSERT_TRUE(told(tail));
  EXPECT_THAT(tail.read().value(), ElementsAre("two", "three"));
}

TEST_F(TailedFile, waits_for_a_file_that_does_not_exist_yet) {
  auto tail = FileTail::open(file_, 5).value();
  append("one\n");
  ASSERT_TRUE(told(tail));
  EXPECT_THAT(tail.read().value(), ElementsAre("one"));
}

}  // namespace
}  // namespace puna::os
