#include "os/file_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "os/process.h"
#include "os/temporary_folder.h"

namespace puna::os {
namespace {

using testing::HasSubstr;

class Lock : public testing::Test {
 protected:
  TemporaryFolder folder_ = TemporaryFolder::create().value();
  std::filesystem::path path_ = folder_.path() / "puna.lock";
};

TEST_F(Lock, is_free_again_when_its_owner_lets_go) {
  {
    const FileLock held = FileLock::acquire(path_).value();
    EXPECT_EQ(FileLock::acquire(path_).error().code, Code::conflict);
  }
  EXPECT_TRUE(FileLock::acquire(path_));
}

TEST_F(Lock, a_conflict_names_the_process_that_holds_it_and_its_death_frees_it) {
  Pipe pipe = make_pipe().value();
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = FileLock::acquire(path_);
    if (::write(pipe.write.get(), held ? "y" : "n", 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char held = 'n';
  ASSERT_EQ(::read(pipe.read.get(), &held, 1), 1);
  ASSERT_EQ(held, 'y');
  const auto refused = FileLock::acquire(path_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr(fmt::format("{} (process {})", process_name(::getpid()), child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::acquire(path_));
}

TEST_F(Lock, does_not_pass_on_to_children) {
  auto held = std::make_unique<FileLock>(FileLock::acquire(path_).value());
  const Process child = Process::spawn({.argv = {"/bin/sleep", "600"}}).value();
  held.reset();
  EXPECT_TRUE(FileLock::acquire(path_));
}

TEST_F(Lock, survives_nonsense_in_its_file) {
  ASSERT_TRUE(write_file_atomic(path_, "not a number at all, and rather long for a process id"));
  const FileLock held = FileLock::acquire(path_).value();
  EXPECT_EQ(read_file(path_, kib(1)).value(), fmt::format("{}\n", ::getpid()));
}

}  // namespace
}  // namespace puna::os
