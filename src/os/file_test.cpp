#include "os/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "os/atomic_file.h"
#include "os/mapped_file.h"
#include "os/temporary_folder.h"

namespace puna::os {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  fs::path path(std::string_view name) const { return folder_.path() / name; }
  std::size_t entries() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_.path()), {})); }

  TemporaryFolder folder_ = TemporaryFolder::create().value();
};

mode_t mode_of(const fs::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

TEST_F(Files, what_was_written_is_read_back) {
  const std::string bytes("a\0b\n", 4);
  ASSERT_TRUE(write_file_atomic(path("x"), bytes));
  EXPECT_EQ(read_file(path("x"), kib(1)).value(), bytes);
  EXPECT_EQ(mode_of(path("x")), 0600u);
  ASSERT_TRUE(write_file_atomic(path("x"), "", 0644));
  EXPECT_EQ(read_file(path("x"), kib(1)).value(), "");
  EXPECT_EQ(mode_of(path("x")), 0644u);
  EXPECT_EQ(entries(), 1u);
}

// ledger: T11
TEST_F(Files, a_file_beyond_the_limit_is_refused) {
  ASSERT_TRUE(write_file_atomic(path("x"), std::string(5000, 'x')));
  EXPECT_EQ(read_file(path("x"), Bytes(5000)).value().size(), 5000u);
  EXPECT_EQ(read_file(path("x"), Bytes(4999)).error().code, Code::too_large);
  EXPECT_EQ(read_file("/proc/self/status", Bytes(10)).error().code, Code::too_large);  // whose size the system calls 0
}

// ledger: T11
TEST_F(Files, what_is_no_regular_file_is_refused_without_waiting) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_file(path("pipe"), kib(1)).error().code, Code::invalid_argument);
  EXPECT_THAT(read_file(folder_.path(), kib(1)).error().message, HasSubstr("is a folder"));
  EXPECT_EQ(read_file(path("missing"), kib(1)).error().code, Code::not_found);
}

TEST_F(Files, writing_through_a_link_keeps_the_link) {
  ASSERT_TRUE(write_file_atomic(path("target"), "old"));
  fs::create_symlink("target", path("link"));
  ASSERT_TRUE(write_file_atomic(path("link"), "new"));
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(read_file(path("target"), kib(1)).value(), "new");
}

TEST_F(Files, writing_into_a_missing_folder_names_the_folder) {
  const auto written = write_file_atomic(path("missing/x"), "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::not_found);
  EXPECT_THAT(written.error().message, HasSubstr(path("missing").string()));
}

// The child replaces the file as fast as it can and says so after each time.
pid_t start_writer(const fs::path& file, int report) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  for (char letter = 'a';; letter = letter == 'a' ? 'b' : 'a')
    if (!write_file_atomic(file, std::string(1 << 18, letter)) || ::write(report, &letter, 1) != 1) ::_exit(1);
}

TEST_F(Files, a_kill_at_any_moment_leaves_the_old_bytes_or_the_new) {
  for (int round = 0; round < 60; ++round) {
    Pipe pipe = make_pipe().value();
    const pid_t child = start_writer(path("x"), pipe.write.get());
    std::string reports(static_cast<std::size_t>(1 + round % 3), '\0');
    ASSERT_GT(::read(pipe.read.get(), reports.data(), reports.size()), 0);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string found = read_file(path("x"), mib(1)).value();
    EXPECT_TRUE(found == std::string(1 << 18, 'a') || found == std::string(1 << 18, 'b')) << found.size();
  }
}

TEST_F(Files, an_unfinished_file_leaves_nothing) {
  {
    auto file = AtomicFile::create(path("x")).value();
    ASSERT_TRUE(file.write("half"));
  }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(Files, a_file_may_be_kept_from_replacing_another) {
  ASSERT_TRUE(write_file_atomic(path("x"), "first"));
  auto file = AtomicFile::create(path("x")).value();
  ASSERT_TRUE(file.write("second"));
  EXPECT_EQ(file.commit(Existing::keep).error().code, Code::already_exists);
  EXPECT_EQ(read_file(path("x"), kib(1)).value(), "first");
}

TEST_F(Files, of_several_writers_at_once_one_wins_whole) {
  {
    std::vector<std::jthread> writers;
    for (char letter = 'a'; letter < 'i'; ++letter)
      writers.emplace_back([&, letter] {
        for (int i = 0; i < 20; ++i) EXPECT_TRUE(write_file_atomic(path("x"), std::string(10'000, letter)));
      });
  }
  const std::string found = read_file(path("x"), mib(1)).value();
  EXPECT_EQ(found, std::string(10'000, found.at(0)));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, a_mapped_file_shows_its_bytes) {
  ASSERT_TRUE(write_file_atomic(path("x"), "mapped"));
  MappedFile file = MappedFile::open(path("x")).value();
  const MappedFile moved = std::move(file);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(moved.bytes().data()), moved.bytes().size()), "mapped");
  ASSERT_TRUE(write_file_atomic(path("empty"), ""));
  EXPECT_TRUE(MappedFile::open(path("empty")).value().bytes().empty());
  EXPECT_EQ(MappedFile::open(path("missing")).error().code, Code::not_found);
}

}  // namespace
}  // namespace puna::os
