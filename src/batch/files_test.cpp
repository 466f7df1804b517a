#include "batch/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "net/loopback_testing.h"

namespace puna::batch {
namespace {

class FilesTest : public testing::Test {
 protected:
  Result<File> add(std::string_view content, std::string owner = "", std::optional<Milliseconds> lifetime = {}) {
    PUNA_TRY(auto upload, files_.begin(std::move(owner)));
    PUNA_CHECK(upload.write(content));
    return files_.keep(std::move(upload), {.filename = "x.jsonl", .purpose = "batch", .lifetime = lifetime});
  }
  std::size_t on_disk() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_ / "files"), {}));
  }
  Files open() {
    return Files::open(database_, folder_ / "files", [this] { return bounds_; }).value();
  }

  FileBounds bounds_{.largest = Bytes(100), .all = Bytes(150)};
  net::loopback::TemporaryFolder folder_;
  store::Database database_ = store::Database::open(":memory:").value();
  Files files_ = open();
};

TEST_F(FilesTest, are_kept_for_their_owner_alone) {
  const auto file = add("hello", "key-1").value();
  EXPECT_EQ(file.bytes, 5);
  EXPECT_TRUE(files_.find("key-1", file.id));
  EXPECT_EQ(files_.find("", file.id).error().code, Code::not_found);
  EXPECT_EQ(files_.remove("key-2", file.id).error().code, Code::not_found);
  EXPECT_EQ(files_.list("key-1")->size(), 1u);
  struct stat info{};
  ASSERT_EQ(::stat((folder_ / ("files/" + file.id)).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

// ledger: T11
TEST_F(FilesTest, are_bounded_one_by_one_and_together) {
  EXPECT_EQ(add(std::string(101, 'x')).error().code, Code::too_large);
  ASSERT_TRUE(add(std::string(100, 'x')));
  const auto refused = add(std::string(51, 'x'));
  EXPECT_NE(refused.error().message.find("files.size"), std::string::npos);
  EXPECT_EQ(on_disk(), 1u) << "what was refused leaves nothing";
}

TEST_F(FilesTest, go_with_their_content_when_they_are_removed_or_their_time_has_passed) {
  const auto first = add("a").value();
  ASSERT_TRUE(files_.remove("", first.id));
  const auto second = add("b", "", Milliseconds(0)).value();
  EXPECT_EQ(files_.find("", second.id).error().code, Code::not_found);
  EXPECT_TRUE(files_.list("")->empty());
  EXPECT_EQ(on_disk(), 0u);
}

TEST_F(FilesTest, without_a_row_go_at_the_next_start) {
  auto upload = files_.begin("").value();
  ASSERT_TRUE(upload.write("lost"));
  ASSERT_TRUE(files_.keep_content(std::move(upload), {.filename = "x", .purpose = "batch"}));
  const auto kept = add("kept").value();
  EXPECT_EQ(on_disk(), 2u);
  const auto again = open();
  EXPECT_EQ(on_disk(), 1u);
  EXPECT_TRUE(again.open_content(kept));
}

}  // namespace
}  // namespace puna::batch
