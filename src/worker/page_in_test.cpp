#include "worker/page_in.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "os/atomic_file.h"
#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::worker {
namespace {

class PageIn : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(os::write_file_atomic(file_, std::string(40U << 20U, 'x'))); }
  void forget_pages() {
    const auto descriptor = os::open_regular_file(file_);
    ASSERT_EQ(::posix_fadvise(descriptor->get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  }
  os::TemporaryFolder folder_ = *os::TemporaryFolder::create();
  std::filesystem::path file_ = folder_.path() / "model";
};

TEST_F(PageIn, reads_nothing_of_a_file_that_is_in_memory) {
  int reports = 0;
  ASSERT_TRUE(page_in(file_, [&](const PageInProgress&) { ++reports; }));
  EXPECT_EQ(reports, 0);
}

TEST_F(PageIn, reports_what_was_missing_piece_by_piece) {
  forget_pages();
  std::vector<PageInProgress> reports;
  ASSERT_TRUE(page_in(file_, [&](const PageInProgress& progress) { reports.push_back(progress); }));
  if (reports.empty()) GTEST_SKIP() << "this file system keeps its pages";
  EXPECT_GE(reports.size(), 2U);
  EXPECT_EQ(reports.back().done, reports.back().total);
  EXPECT_LT(reports.front().done, reports.front().total);
}

TEST_F(PageIn, fails_on_a_file_that_is_not_there) {
  const auto result = page_in(folder_.path() / "none", [](const PageInProgress&) {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::not_found);
}

}  // namespace
}  // namespace puna::worker
