#include "fleet/log_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::fleet {
namespace {

// ledger: M7
TEST(ModelName, is_refused_when_it_could_be_an_option_a_path_or_a_terminal_sequence) {
  for (const std::string_view name :
       {"", "--socket", "-m", "/etc/passwd", "a/../b", "a//b", "a b", "a\nb", "a\x1b[2J", "ä", ".hidden", "a;b", "$x"})
    EXPECT_FALSE(check_model_name(name)) << name;
  EXPECT_FALSE(check_model_name(std::string(201, 'a')));
}

TEST(ModelName, may_have_an_owner_a_tag_and_a_digest) {
  for (const std::string_view name : {"smollm2:135m", "owner/repo:Q4_K_M", "hf.co/a/b", "m@sha256:0123", "a+b"})
    EXPECT_TRUE(check_model_name(name)) << name;
}

TEST(WorkerLogFile, differs_for_different_models_and_stays_in_its_folder) {
  std::set<std::filesystem::path> files;
  const auto names = std::to_array<std::string_view>({"a/b", "a:b", "a@b", "a+b", "a-b", "a+-b", "a+ab", "a++b", "a/-b"});
  for (const auto name : names) {
    files.insert(worker_log_file("/logs", name));
    EXPECT_EQ(worker_log_file("/logs", name).parent_path(), "/logs") << name;
  }
  EXPECT_EQ(files.size(), names.size());
}

class WorkerLogTest : public testing::Test {
 protected:
  os::TemporaryFolder folder_ = *os::TemporaryFolder::create();
  std::filesystem::path file_ = folder_.path() / "worker-m.log";
  std::string text(std::string_view suffix = "") { return os::read_file(file_.string() + std::string(suffix), mib(1)).value_or(""); }
};

TEST_F(WorkerLogTest, puts_lines_together_that_arrive_in_pieces) {
  WorkerLog log(file_, {});
  ASSERT_TRUE(log.add("one\ntw"));
  ASSERT_TRUE(log.add("o\nthr"));
  ASSERT_TRUE(log.finish());
  EXPECT_THAT(log.last_lines(), testing::ElementsAre("one", "two", "thr"));
  EXPECT_THAT(text(), testing::MatchesRegex("[-0-9T:.]+Z one\n[-0-9T:.]+Z two\n[-0-9T:.]+Z thr\n"));
}

// ledger: M3
TEST_F(WorkerLogTest, rotates_and_never_keeps_more_than_its_limit) {
  WorkerLog log(file_, {.file_size = kib(4), .files = 3});
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(log.add("a line of a worker that has much to say\n"));
  std::uintmax_t kept = 0;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    kept += entry.file_size();
    ++files;
  }
  EXPECT_EQ(files, 3U);
  EXPECT_LE(kept, 3U * 4096U);
  EXPECT_FALSE(text(".1").empty());
}

TEST_F(WorkerLogTest, remembers_a_bounded_number_of_bounded_lines) {
  WorkerLog log(file_, {});
  ASSERT_TRUE(log.add(std::string(1U << 20U, 'x') + "\n"));
  EXPECT_LE(log.last_lines().front().size(), 4096U);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(log.add("line\n"));
  EXPECT_EQ(log.last_lines().size(), 50U);
}

// ledger: T14
TEST_F(WorkerLogTest, shows_no_secret_and_moves_no_cursor) {
  WorkerLog log(file_, {});
  ASSERT_TRUE(log.add("token hf_abcdefghijklmnopqrstuvwxyz0123456789 \x1b[2J\n"));
  EXPECT_EQ(text().find("hf_abcdef"), std::string::npos);
  EXPECT_EQ(text().find('\x1b'), std::string::npos);
}

TEST_F(WorkerLogTest, reports_a_file_that_cannot_be_written_and_remembers_the_lines) {
  WorkerLog log(folder_.path() / "no" / "folder.log", {});
  EXPECT_FALSE(log.add("line\n"));
  EXPECT_THAT(log.last_lines(), testing::ElementsAre("line"));
}

}  // namespace
}  // namespace puna::fleet
