#include "os/place_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "os/disk.h"
#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::os {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

dev_t device_of(const fs::path& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_dev : 0;
}

class PlaceFile : public testing::Test {
 protected:
  fs::path source() {
    const fs::path file = folder_.path() / "source";
    EXPECT_TRUE(write_file_atomic(file, content_));
    return file;
  }
  // A folder where a link to our files cannot lead.
  std::optional<TemporaryFolder> folder_on_another_file_system() const {
    for (const auto candidate : {"/dev/shm", "/run", "/tmp", "/var/tmp"}) {
      if (device_of(candidate) == 0 || device_of(candidate) == device_of(folder_.path())) continue;
      if (auto folder = TemporaryFolder::create(candidate)) return std::move(*folder);
    }
    return std::nullopt;
  }

  std::string content_ = std::string((3 << 20) + 17, 'm');
  TemporaryFolder folder_ = TemporaryFolder::create().value();
};

TEST_F(PlaceFile, takes_no_space_on_the_same_file_system) {
  const fs::path to = folder_.path() / "placed";
  EXPECT_NE(place_file(source(), to).value(), CloneKind::copy);
  EXPECT_EQ(read_file(to, mib(8)).value(), content_);
}

TEST_F(PlaceFile, copies_between_file_systems_and_reports_how_far_it_is) {
  const auto other = folder_on_another_file_system();
  if (!other) GTEST_SKIP() << "this machine has one file system only";
  std::vector<std::uint64_t> steps;
  const auto kind = place_file(source(), other->path() / "placed", {}, [&](Bytes done, Bytes total) {
    EXPECT_EQ(total.count, content_.size());
    steps.push_back(done.count);
  });
  EXPECT_EQ(kind.value(), CloneKind::copy);
  EXPECT_EQ(read_file(other->path() / "placed", mib(8)).value(), content_);
  EXPECT_EQ(steps, (std::vector<std::uint64_t>{0, 1 << 20, 2 << 20, 3 << 20, content_.size()}));
}

TEST_F(PlaceFile, a_cancelled_copy_leaves_nothing) {
  const auto other = folder_on_another_file_system();
  if (!other) GTEST_SKIP() << "this machine has one file system only";
  std::stop_source stop;
  const auto placed = place_file(source(), other->path() / "placed", stop.get_token(), [&](Bytes, Bytes) { stop.request_stop(); });
  EXPECT_EQ(placed.error().code, Code::cancelled);
  EXPECT_TRUE(fs::is_empty(other->path()));
}

TEST_F(PlaceFile, never_overwrites) {
  const fs::path to = folder_.path() / "placed";
  ASSERT_TRUE(write_file_atomic(to, "here first"));
  EXPECT_EQ(place_file(source(), to).error().code, Code::already_exists);
  EXPECT_EQ(read_file(to, kib(1)).value(), "here first");
}

// ledger: T11
TEST_F(PlaceFile, takes_regular_files_only) {
  EXPECT_EQ(place_file(folder_.path(), folder_.path() / "x").error().code, Code::invalid_argument);
  EXPECT_EQ(place_file(folder_.path() / "missing", folder_.path() / "x").error().code, Code::not_found);
  EXPECT_EQ(place_file("/dev/zero", folder_.path() / "x").error().code, Code::invalid_argument);
}

TEST_F(PlaceFile, places_the_file_behind_a_link) {
  fs::create_symlink(source(), folder_.path() / "link");
  const fs::path to = folder_.path() / "placed";
  ASSERT_TRUE(place_file(folder_.path() / "link", to));
  EXPECT_FALSE(fs::is_symlink(to));
  EXPECT_EQ(read_file(to, mib(8)).value(), content_);
}

TEST(DiskSpace, is_known_for_folders_that_do_not_exist_yet) {
  const auto folder = TemporaryFolder::create().value();
  const auto here = disk_space(folder.path()).value();
  EXPECT_GT(here.total.count, 0u);
  EXPECT_LE(here.available, here.total);
  EXPECT_EQ(disk_space(folder.path() / "not/there/yet").value().total, here.total);
}

TEST(DiskSpace, too_little_of_it_is_said_with_figures) {
  const auto folder = TemporaryFolder::create().value();
  EXPECT_TRUE(require_disk_space(folder.path(), Bytes(1)));
  const auto refused = require_disk_space(folder.path() / "model.gguf", gib(1 << 30));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::disk_full);
  EXPECT_THAT(refused.error().message, HasSubstr(format_bytes(gib(1 << 30))));
  EXPECT_THAT(refused.error().message, HasSubstr("is free"));
}

}  // namespace
}  // namespace puna::os
