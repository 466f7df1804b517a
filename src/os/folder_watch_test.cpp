#include "os/folder_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "os/temporary_folder.h"

namespace puna::os {
namespace {

using testing::Contains;
using testing::Field;

class WatchedFolder : public testing::Test {
 protected:
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& change : watch_.read()->changes) out.push_back(change.name);
    return out;
  }
  TemporaryFolder folder_ = TemporaryFolder::create().value();
  FolderWatch watch_ = FolderWatch::create().value();
};

TEST_F(WatchedFolder, tells_at_once_what_came_what_was_cut_and_what_went) {
  watch_.add(folder_.path()).value();
  EXPECT_FALSE(watch_.pending());
  std::ofstream(folder_.path() / "a") << "text";
  EXPECT_TRUE(watch_.pending());
  EXPECT_THAT(names(), Contains("a"));
  std::filesystem::resize_file(folder_.path() / "a", 1);
  EXPECT_THAT(names(), Contains("a"));
  std::filesystem::remove(folder_.path() / "a");
  EXPECT_THAT(names(), Contains("a"));
  EXPECT_FALSE(watch_.pending());
}

TEST_F(WatchedFolder, a_folder_that_goes_is_told_and_can_be_watched_again) {
  const auto inner = folder_.path() / "inner";
  EXPECT_EQ(watch_.add(inner).error().code, Code::not_found);
  std::filesystem::create_directory(inner);
  watch_.add(inner).value();
  std::filesystem::remove(inner);
  EXPECT_THAT(watch_.read()->changes, Contains(Field(&FolderWatch::Change::folder, inner)));
  std::filesystem::create_directory(inner);
  watch_.add(inner).value();
  std::ofstream(inner / "a") << "text";
  EXPECT_THAT(names(), Contains("a"));
}

TEST_F(WatchedFolder, what_is_kept_no_longer_is_told_no_longer) {
  watch_.add(folder_.path()).value();
  watch_.keep_only({});
  ASSERT_TRUE(watch_.read());
  std::ofstream(folder_.path() / "a") << "text";
  EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(WatchedFolder, a_wait_ends_by_a_wake_or_a_stop) {
  watch_.wake();
  watch_.wait(kForever, {});
  std::stop_source stop;
  stop.request_stop();
  watch_.wait(kForever, stop.get_token());
}

}  // namespace
}  // namespace puna::os
